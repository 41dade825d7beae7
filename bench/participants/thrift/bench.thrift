// The benchmark's service. `binary` is Thrift's type for bytes that it does not look into.

namespace cpp bench_thrift

service Bench {
  i32 Add(1: i32 a, 2: i32 b)
  binary Echo(1: binary text)
  i32 Sleep(1: i32 milliseconds)
}
