// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// The types and methods of both sides; the C++ ones are in ../services.hpp.

type Args struct{ Num1, Num2 int }

type Item struct {
	Name string
	Qty  int
	Tags []string
}

type Base struct {
	ID    int64
	Label string
}

type Inner struct {
	Title string
	Item  Item
}

// Every kind of type that C++ has a counterpart of.
type Everything struct {
	Base
	Flag    bool
	I       int
	I8      int8
	I16     int16
	I32     int32
	I64     int64
	U       uint
	U8      uint8
	U16     uint16
	U32     uint32
	U64     uint64
	F32     float32
	F64     float64
	S       string
	Bytes   []byte
	Ints    []int
	Floats  []float64
	Bools   []bool
	Strs    []string
	Items   []Item
	Nested  [][]int
	Arr     [3]int
	Grid    [2][2]uint8
	SI      map[string]int
	IS      map[int]string
	MItem   map[string]Item
	Inner   Inner
	P, PNil *Item
	PInt    *int
	When    time.Time
	Wait    time.Duration
}

// More than C++ knows: the other side must skip these fields.
type Stranger struct {
	Before  map[string][]map[int]*Item
	Any     any
	Num1    int
	Complex complex128
	Anys    []any
	Time    time.Time
	Num2    int
	Deep    [][][]string
}

type Foo struct{}

func (Foo) Sum(args Args, sum *int) error {
	*sum = args.Num1 + args.Num2
	return nil
}

// Takes Num1 milliseconds.
func (Foo) SleepMs(args Args, sum *int) error {
	time.Sleep(time.Duration(args.Num1) * time.Millisecond)
	*sum = args.Num1 + args.Num2
	return nil
}

func (Foo) Fail(args Args, sum *int) error {
	return fmt.Errorf("foo failed: %d,%d", args.Num1, args.Num2)
}

func (Foo) Percent(text string, reply *string) error { return errors.New("100% " + text) }

type Echo struct{}

func (Echo) String(v string, reply *string) error                 { *reply = v; return nil }
func (Echo) Int(v int, reply *int) error                          { *reply = v; return nil }
func (Echo) Uint(v uint64, reply *uint64) error                   { *reply = v; return nil }
func (Echo) Float(v float64, reply *float64) error                { *reply = v; return nil }
func (Echo) Bool(v bool, reply *bool) error                       { *reply = v; return nil }
func (Echo) Bytes(v []byte, reply *[]byte) error                  { *reply = v; return nil }
func (Echo) Ints(v []int, reply *[]int) error                     { *reply = v; return nil }
func (Echo) Array(v [3]int, reply *[3]int) error                  { *reply = v; return nil }
func (Echo) Map(v map[string]int, reply *map[string]int) error    { *reply = v; return nil }
func (Echo) Items(v []Item, reply *[]Item) error                  { *reply = v; return nil }
func (Echo) Empty(v struct{}, reply *struct{}) error              { return nil }
func (Echo) Time(v time.Time, reply *time.Time) error             { *reply = v; return nil }
func (Echo) Duration(v time.Duration, reply *time.Duration) error { *reply = v; return nil }
func (Echo) Everything(v Everything, reply *Everything) error     { *reply = v; return nil }

// Answers with fields that the caller does not know.
func (Echo) Stranger(v Args, reply *Stranger) error {
	*reply = stranger(v)
	return nil
}

// What a cluster is asked for: which of its servers this is.
type Who struct{}

var whoAmI string

func (Who) AreYou(_ struct{}, name *string) error {
	*name = whoAmI
	return nil
}

// About this server.
type Peer struct{}

func (Peer) Connections(_ struct{}, count *int64) error {
	*count = atomic.LoadInt64(&accepted)
	return nil
}

func services() []any { return []any{Foo{}, Echo{}, Who{}, Peer{}} }

func everything() Everything {
	five := 5
	return Everything{
		Base: Base{-1234567890123, "base"}, Flag: true,
		I: -42, I8: -128, I16: -32768, I32: -2147483648, I64: -9223372036854775808,
		U: 42, U8: 255, U16: 65535, U32: 4294967295, U64: 18446744073709551615,
		F32: 1.5, F64: -2.25, S: "héllo, 世界", Bytes: []byte{0, 1, 127, 128, 255},
		Ints: []int{0, 1, -1, 1 << 40}, Floats: []float64{0, 17, -0.125}, Bools: []bool{true, false},
		Strs: []string{"", "a", "bc"}, Items: []Item{{"x", 1, nil}, {}, {"y", 0, []string{"t1", "t2"}}},
		Nested: [][]int{{1}, nil, {2, 3}}, Arr: [3]int{7, 0, -7}, Grid: [2][2]uint8{{1, 2}, {3, 4}},
		SI: map[string]int{"one": 1, "zero": 0}, IS: map[int]string{-1: "neg", 0: ""},
		MItem: map[string]Item{"k": {"v", 9, nil}}, Inner: Inner{"inner", Item{"deep", -3, []string{"z"}}},
		P: &Item{"ptr", 5, nil}, PInt: &five,
		When: time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC), Wait: 1500 * time.Millisecond,
	}
}

func stranger(args Args) Stranger {
	return Stranger{
		Before: map[string][]map[int]*Item{"a": {{1: {"n", 2, []string{"t"}}}}},
		Any:    Item{"any", 1, nil}, Num1: args.Num1, Complex: 1 + 2i,
		Anys: []any{1, "two", Item{"three", 3, nil}, nil, []int{4}, Inner{"five", Item{}}},
		Time: time.Unix(1, 0), Num2: args.Num2, Deep: [][][]string{{{"x"}, {}}, {}},
	}
}
