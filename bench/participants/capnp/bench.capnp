# The benchmark's service. `Data`, because `Text` would also be checked to end with a zero byte.

@0x9b0914663d60a65e;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench_capnp");

interface Bench {
  add @0 (a :Int32, b :Int32) -> (sum :Int32);
  echo @1 (text :Data) -> (reply :Data);
  sleep @2 (milliseconds :Int32) -> (milliseconds :Int32);
}
