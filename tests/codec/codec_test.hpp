// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What the tests of the codecs share.

#ifndef GEERPC_TESTS_CODEC_CODEC_TEST_HPP
#define GEERPC_TESTS_CODEC_CODEC_TEST_HPP

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <geerpc/geerpc.hpp>

namespace test {

template <class T>
std::string encode(const geerpc::Codec& codec, const T& value) {
  geerpc::Buffer out;
  geerpc::detail::encode(codec, out, value);
  return std::string(out.view());
}
template <class T>
std::string to_json(const T& value) {
  return encode(geerpc::json_codec(), value);
}

// Decodes from memory of exactly the right size, so that a sanitizer sees any byte read too far.
template <class T>
T decode(const geerpc::Codec& codec, std::string_view in, T value = T(),
         const geerpc::DecodeLimits& limits = {}) {
  const std::unique_ptr<char[]> exact(new char[in.size() + (in.empty() ? 1 : 0)]);
  in.copy(exact.get(), in.size());
  geerpc::detail::decode(codec, {exact.get(), in.size()}, value, limits);
  return value;
}
template <class T>
T from_json(std::string_view in, T value = T()) {
  return decode<T>(geerpc::json_codec(), in, std::move(value));
}

// The text of the Error that f throws; "no error" if it throws none.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const geerpc::Error& e) {
    if (e.code() != geerpc::StatusCode::invalid_argument) return "the wrong status code";
    return e.what();
  }
  return "no error";
}
template <class T>
std::string json_error(std::string_view in) {
  return error_of([&] { from_json<T>(in); });
}
template <class T>
std::string decode_error(const geerpc::Codec& codec, std::string_view in) {
  return error_of([&] { decode<T>(codec, in); });
}

}  // namespace test

#endif  // GEERPC_TESTS_CODEC_CODEC_TEST_HPP
