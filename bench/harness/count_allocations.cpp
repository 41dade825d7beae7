// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Counts the heap allocations of a program that is started with this library in LD_PRELOAD. The
// count stands, as a native 64-bit integer, in the file that BENCH_ALLOCATIONS names (8 bytes or
// more, made by the driver), which is mapped into the program: it can be read at any time without
// disturbing it. operator new is counted, too, since it calls malloc. For glibc, whose own
// functions are called by their internal names: looking them up would allocate.

#include <fcntl.h>     // open
#include <sys/mman.h>  // mmap
#include <unistd.h>    // close

#include <atomic>   // atomic
#include <cerrno>   // ENOMEM
#include <cstddef>  // size_t
#include <cstdint>  // uint64_t
#include <cstdlib>  // getenv

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

using Count = std::atomic<std::uint64_t>;
static_assert(Count::is_always_lock_free);

Count before_mapping;
std::atomic<Count*> count{&before_mapping};

void count_one() { count.load(std::memory_order_relaxed)->fetch_add(1, std::memory_order_relaxed); }

__attribute__((constructor)) void map_count() {
  const char* const path = std::getenv("BENCH_ALLOCATIONS");
  if (path == nullptr) return;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* const memory = mmap(nullptr, sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) return;
  auto* const mapped = static_cast<Count*>(memory);
  mapped->fetch_add(before_mapping.load());
  count = mapped;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  count_one();
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count_one();
  return __libc_calloc(number, size);
}
void* realloc(void* memory, std::size_t size) {
  count_one();
  return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  count_one();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  count_one();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  count_one();
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"
