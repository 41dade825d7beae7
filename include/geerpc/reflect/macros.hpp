// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What the table macros are built from: GEERPC_DETAIL_EACH applies a macro to each of up to 64
// arguments. C++17 has no __VA_OPT__, so the arguments are counted and the count picks a row.

#ifndef GEERPC_REFLECT_MACROS_HPP
#define GEERPC_REFLECT_MACROS_HPP

#include <string_view>  // string_view

#include <geerpc/base/version.hpp>

GEERPC_BEGIN_NAMESPACE
namespace detail {

// Names a type in an overload, so that the tables are found by argument-dependent lookup in the
// namespace of the type, and never for a class derived from it.
template <class T>
struct Tag {
  using Type = T;
};

template <class T>
inline constexpr bool always_false_v = false;

// What stands for a list that is too long.
template <class T>
constexpr int too_many_entries() {
  static_assert(always_false_v<T>,
                "geerpc: GEERPC_FIELDS and GEERPC_SERVICE take at most 64 entries; "
                "group fields into nested structs, split the service");
  return 0;
}

// "ns::Foo" becomes "Foo".
constexpr std::string_view unqualified(std::string_view name) noexcept {
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

}  // namespace detail
GEERPC_END_NAMESPACE

#define GEERPC_DETAIL_TEXT(x) GEERPC_DETAIL_TEXT_(x)
#define GEERPC_DETAIL_TEXT_(x) #x
#define GEERPC_DETAIL_FIRST(...) GEERPC_DETAIL_FIRST_(__VA_ARGS__, )
#define GEERPC_DETAIL_FIRST_(first, ...) first
#define GEERPC_DETAIL_JOIN(a, b) GEERPC_DETAIL_JOIN_(a, b)
#define GEERPC_DETAIL_JOIN_(a, b) a##b
#define GEERPC_DETAIL_CALL(macro, ...) macro(__VA_ARGS__)
#define GEERPC_DETAIL_UNWRAP(...) __VA_ARGS__

// The number of arguments after the first: 0 to 64, or MANY up to 128.
// clang-format off
#define GEERPC_DETAIL_COUNT(...) GEERPC_DETAIL_PICK(__VA_ARGS__, \
  MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, \
  MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, \
  MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, \
  MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, \
  64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, \
  48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, \
  32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, \
  16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, \
  0,)
#define GEERPC_DETAIL_PICK( \
  _0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, \
  _16, _17, _18, _19, _20, _21, _22, _23, _24, _25, _26, _27, _28, _29, _30, _31, \
  _32, _33, _34, _35, _36, _37, _38, _39, _40, _41, _42, _43, _44, _45, _46, _47, \
  _48, _49, _50, _51, _52, _53, _54, _55, _56, _57, _58, _59, _60, _61, _62, _63, \
  _64, _65, _66, _67, _68, _69, _70, _71, _72, _73, _74, _75, _76, _77, _78, _79, \
  _80, _81, _82, _83, _84, _85, _86, _87, _88, _89, _90, _91, _92, _93, _94, _95, \
  _96, _97, _98, _99, _100, _101, _102, _103, _104, _105, _106, _107, _108, _109, _110, _111, \
  _112, _113, _114, _115, _116, _117, _118, _119, _120, _121, _122, _123, _124, _125, _126, _127, \
  _128, n, ...) n

// GEERPC_DETAIL_EACH(m, x, a, b) is `, m(x, a), m(x, b)`; nothing if only x is given.
#define GEERPC_DETAIL_EACH(m, ...) \
  GEERPC_DETAIL_JOIN(GEERPC_DETAIL_EACH_, GEERPC_DETAIL_COUNT(__VA_ARGS__))(m, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_MANY(m, x, ...) , ::geerpc::detail::too_many_entries<x>()
#define GEERPC_DETAIL_EACH_0(m, x)
#define GEERPC_DETAIL_EACH_1(m, x, a) , m(x, a)
#define GEERPC_DETAIL_EACH_2(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_1(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_3(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_2(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_4(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_3(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_5(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_4(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_6(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_5(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_7(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_6(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_8(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_7(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_9(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_8(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_10(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_9(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_11(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_10(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_12(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_11(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_13(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_12(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_14(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_13(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_15(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_14(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_16(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_15(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_17(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_16(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_18(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_17(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_19(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_18(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_20(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_19(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_21(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_20(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_22(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_21(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_23(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_22(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_24(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_23(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_25(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_24(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_26(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_25(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_27(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_26(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_28(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_27(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_29(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_28(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_30(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_29(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_31(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_30(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_32(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_31(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_33(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_32(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_34(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_33(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_35(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_34(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_36(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_35(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_37(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_36(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_38(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_37(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_39(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_38(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_40(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_39(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_41(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_40(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_42(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_41(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_43(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_42(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_44(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_43(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_45(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_44(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_46(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_45(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_47(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_46(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_48(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_47(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_49(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_48(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_50(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_49(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_51(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_50(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_52(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_51(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_53(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_52(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_54(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_53(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_55(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_54(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_56(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_55(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_57(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_56(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_58(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_57(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_59(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_58(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_60(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_59(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_61(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_60(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_62(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_61(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_63(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_62(m, x, __VA_ARGS__)
#define GEERPC_DETAIL_EACH_64(m, x, a, ...) , m(x, a) GEERPC_DETAIL_EACH_63(m, x, __VA_ARGS__)
// clang-format on

#endif  // GEERPC_REFLECT_MACROS_HPP
