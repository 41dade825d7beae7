// What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput, linked either with
// libFuzzer or with replay.cpp, which runs it over kept inputs.

#ifndef GEERPC_TEST_FUZZ_HPP
#define GEERPC_TEST_FUZZ_HPP

#include <cstddef>      // size_t
#include <cstdint>      // uint8_t
#include <cstdio>       // fprintf, stderr
#include <cstdlib>      // abort
#include <string_view>  // string_view

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// A property that holds for every input; in all builds, unlike assert. What libFuzzer sees is a
// crash, so it keeps the input.
#define GEERPC_FUZZ_CHECK(property)                                                          \
  ((property) ? void()                                                                       \
              : (std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #property), \
                 std::abort()))

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

#endif  // GEERPC_TEST_FUZZ_HPP
