// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include <geerpc/geerpc.hpp>

namespace shop {

struct Till {
  int add(int a, int b) { return a + b; }
  std::string name() const { return "till"; }
  void open() noexcept {}
  double total(const geerpc::Context&, const std::vector<double>&) const noexcept { return 0; }
  static int version() { return 1; }
};
GEERPC_SERVICE(Till, add, name, open, total)

struct Arith {
  int mul(int a, int b) { return a * b; }
};
GEERPC_SERVICE_AS(Arith, "Math", (mul, "Mul"))

inline int free_function(const std::string&, std::string_view) noexcept { return 0; }

}  // namespace shop

namespace {

namespace detail = geerpc::detail;

template <class F>
using ArgsOf = typename detail::Signature<F>::Args;
template <class F>
using Result = typename detail::Signature<F>::Result;

}  // namespace

TEST_CASE("a method table visits pointers and names in its order") {
  shop::Till till;
  std::string names;
  int sum = 0;
  detail::for_each_method<shop::Till>([&](auto pointer, std::string_view name) {
    names += std::string(name) + ' ';
    if constexpr (std::is_same_v<typename decltype(pointer)::value_type,
                                 int (shop::Till::*)(int, int)>) {
      sum = (till.*decltype(pointer)::value)(2, 3);
    }
  });
  CHECK(names == "add name open total ");
  CHECK(sum == 5);
}

TEST_CASE("full names are known at compile time and live for ever") {
  static_assert(detail::method_full_name<&shop::Till::add>() == "Till.add");
  static_assert(detail::method_full_name<&shop::Till::total>() == "Till.total");
  static_assert(detail::method_full_name<&shop::Arith::mul>() == "Math.Mul");
  CHECK(detail::service_name<shop::Till>() == "Till");
  CHECK(detail::service_name<shop::Arith>() == "Math");
  CHECK(detail::has_service_v<shop::Till>);
  CHECK_FALSE(detail::has_service_v<int>);
}

TEST_CASE("signatures know what is on the wire") {
  using Add = detail::Signature<decltype(&shop::Till::add)>;
  CHECK(std::is_same_v<Add::Args, std::tuple<int, int>>);
  CHECK(std::is_same_v<Add::Result, int>);
  CHECK(std::is_same_v<Add::Class, shop::Till>);
  CHECK_FALSE(Add::takes_context);

  using Total = detail::Signature<decltype(&shop::Till::total)>;
  CHECK(std::is_same_v<Total::Args, std::tuple<std::vector<double>>>);
  CHECK(std::is_same_v<Total::Class, shop::Till>);
  CHECK(Total::takes_context);

  CHECK(std::is_same_v<ArgsOf<decltype(&shop::Till::name)>, std::tuple<>>);
  CHECK(std::is_same_v<Result<decltype(&shop::Till::open)>, void>);
  CHECK(
      std::is_same_v<ArgsOf<decltype(&shop::free_function)>, std::tuple<std::string, std::string>>);
  CHECK(
      std::is_same_v<ArgsOf<decltype(shop::free_function)>, std::tuple<std::string, std::string>>);
  CHECK(std::is_same_v<ArgsOf<decltype(&shop::Till::version)>, std::tuple<>>);
}

TEST_CASE("signatures of lambdas and functors have no class") {
  const auto lambda = [](geerpc::Context, std::unique_ptr<int>, std::string&&) { return 1.5; };
  using Lambda = detail::Signature<decltype(lambda)>;
  CHECK(std::is_same_v<Lambda::Args, std::tuple<std::unique_ptr<int>, std::string>>);
  CHECK(std::is_same_v<Lambda::Result, double>);
  CHECK(std::is_same_v<Lambda::Class, void>);
  CHECK(Lambda::takes_context);

  int count = 0;
  const auto counter = [count]() mutable noexcept { return ++count; };
  CHECK(std::is_same_v<ArgsOf<decltype(counter)>, std::tuple<>>);
  CHECK(std::is_same_v<ArgsOf<std::function<int(bool)>>, std::tuple<bool>>);
}

TEST_CASE("signatures take eight arguments and more") {
  using F = void (*)(int, int, int, int, int, int, int, int, int, std::string);
  CHECK(std::tuple_size_v<ArgsOf<F>> == 10);
}
