// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What a thread that waits needs no more of its stack goes back to the system. A handler may have
// used a lot of it, and there is a thread for each connection, most of which are idle.

#ifndef GEERPC_NET_IDLE_STACK_HPP
#define GEERPC_NET_IDLE_STACK_HPP

#include <cstddef>  // size_t
#include <cstdint>  // uintptr_t

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <geerpc/base/hot_path.hpp>
#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE

namespace detail {

// The lowest address of this thread's stack; 0 if that is not known.
inline std::uintptr_t stack_end() noexcept {
  std::uintptr_t end = 0;
#ifdef __linux__
  pthread_attr_t attributes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) != 0) return 0;
  void* address = nullptr;
  std::size_t size = 0;
  if (::pthread_attr_getstack(&attributes, &address, &size) == 0) {
    end = reinterpret_cast<std::uintptr_t>(address);
  }
  ::pthread_attr_destroy(&attributes);
#endif
  return end;
}

#if defined(__GNUC__)

// The frame of a function that its caller calls.
__attribute__((noinline)) inline std::uintptr_t callee_frame() noexcept {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

// Frees the pages below the caller's frame. Only for threads that we have made: the stack of a
// program's first one grows, so that its end says nothing.
__attribute__((noinline)) inline void release_stack() noexcept {
  static thread_local const std::uintptr_t end = stack_end();
  if (end == 0) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  constexpr std::uintptr_t kFrame = 64;  // more than madvise needs of it, to come back
  const std::uintptr_t begin = (callee_frame() - kFrame) & ~(page - 1);
  if (begin > end) ::madvise(reinterpret_cast<void*>(end), begin - end, MADV_DONTNEED);
}

#else

inline void release_stack() noexcept {}

#endif

}  // namespace detail

GEERPC_END_NAMESPACE

#endif  // GEERPC_NET_IDLE_STACK_HPP
