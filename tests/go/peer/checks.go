// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"
)

type checker struct {
	protocol, scheme, place string
	dial                    func() caller
}

var parts = map[string]func(*checker){
	"check": func(c *checker) {
		c.types()
		c.errors()
		c.many()
		c.slowAndFast()
	},
	"types":       (*checker).types,
	"errors":      (*checker).errors,
	"many":        (*checker).many,
	"slow":        (*checker).slowAndFast,
	"timeout":     (*checker).handleTimeout,
	"until-ended": (*checker).untilEnded,
	"forever":     (*checker).forever,
}

func (c *checker) isJSON() bool {
	return c.protocol == "geerpc-json" || c.protocol == "jsonrpc"
}

// Whether errors have the words of Go's own net/rpc.
func (c *checker) isNetRPC() bool { return c.protocol == "netrpc" || c.protocol == "jsonrpc" }

// Calls with a new reply of the same type as `want`, and compares.
func check(client caller, method string, args, want any) {
	reply := reflect.New(reflect.TypeOf(want))
	if err := client.Call(method, args, reply.Interface()); err != nil {
		fail(method, ": ", err)
	}
	got := reply.Elem().Interface()
	if !reflect.DeepEqual(got, want) {
		fail(fmt.Sprintf("%s: got %#v, wanted %#v", method, got, want))
	}
}

func checkError(client caller, method string, args any, want string) {
	var reply int
	err := client.Call(method, args, &reply)
	if err == nil || err.Error() != want {
		fail(fmt.Sprintf("%s: got the error %q, wanted %q", method, err, want))
	}
}

func (c *checker) types() {
	client := c.dial()
	defer client.Close()
	for i := 0; i < 2; i++ { // with and without the definitions of types
		check(client, "Foo.Sum", Args{3, 4}, 7)
		check(client, "Foo.Sum", &Args{}, 0)
		for _, text := range []string{"", "a", "héllo, 世界 🌍", "a\x00b", strings.Repeat("x", 100000)} {
			check(client, "Echo.String", text, text)
		}
		for _, n := range []int{0, 1, -1, 63, 64, -64, -65, 1 << 40, -1 << 63, 1<<63 - 1} {
			check(client, "Echo.Int", n, n)
		}
		for _, n := range []uint64{0, 127, 128, 1<<64 - 1} {
			check(client, "Echo.Uint", n, n)
		}
		for _, f := range []float64{0, 17, -2.25, 0.1, 5e-324, 1.7976931348623157e308} {
			check(client, "Echo.Float", f, f)
		}
		check(client, "Echo.Bool", true, true)
		check(client, "Echo.Bool", false, false)
		check(client, "Echo.Bytes", []byte{0, 128, 255}, []byte{0, 128, 255})
		check(client, "Echo.Ints", []int{1, 0, -1}, []int{1, 0, -1})
		check(client, "Echo.Array", [3]int{1, 0, -1}, [3]int{1, 0, -1})
		check(client, "Echo.Map", map[string]int{"a": 1, "b": 0}, map[string]int{"a": 1, "b": 0})
		items := []Item{{"a", 1, []string{"x"}}, {"b", 0, nil}}
		if c.isJSON() {
			items[1].Tags = []string{} // C++ has no nil vector
		}
		check(client, "Echo.Items", items, items)
		check(client, "Echo.Empty", struct{}{}, struct{}{})
		when := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
		check(client, "Echo.Time", when, when)
		check(client, "Echo.Time", time.Time{}, time.Time{})
		check(client, "Echo.Duration", 1500*time.Millisecond, 1500*time.Millisecond)
		if c.isJSON() {
			// Go's jsonrpc dies of a result that is null.
			check(client, "Echo.Nothing", struct{}{}, Item{})
			continue // nil and empty are told apart there, which C++ containers do not
		}
		check(client, "Echo.Everything", everything(), everything())
		check(client, "Echo.Everything", Everything{}, Everything{})
		check(client, "Foo.Sum", stranger(Args{5, 6}), 11)
	}
}

func (c *checker) errors() {
	client := c.dial()
	defer client.Close()
	for i := 0; i < 2; i++ {
		checkError(client, "Foo.Fail", Args{3, 4}, "foo failed: 3,4")
		checkError(client, "Foo.Percent", "sure", "100% sure")
		if c.isNetRPC() {
			checkError(client, "Foo.Nope", Args{}, "rpc: can't find method Foo.Nope")
			checkError(client, "Nope.Sum", Args{}, "rpc: can't find service Nope.Sum")
			checkError(client, "nodot", Args{}, "rpc: service/method request ill-formed: nodot")
		} else {
			checkError(client, "Foo.Nope", Args{}, "rpc server: can't find method Nope")
			checkError(client, "Nope.Sum", Args{}, "rpc server: can't find service Nope")
			checkError(client, "nodot", Args{}, "rpc server: service/method request ill-formed: nodot")
		}
		if c.isJSON() { // in words of our own
			if client.Call("Foo.Sum", "text", new(int)) == nil {
				fail("Foo.Sum took a text")
			}
		} else {
			checkError(client, "Foo.Sum", "text",
				"gob: type mismatch in decoder: want struct type Args; got non-struct")
			checkError(client, "Foo.Sum", struct{ X int }{1},
				"gob: type mismatch: no fields matched compiling decoder for Args")
			checkError(client, "Foo.Sum", struct{ Num1 string }{"x"},
				"gob: wrong type (int) for received field .Num1")
		}
		check(client, "Foo.Sum", Args{3, 4}, 7) // the connection has survived all that
	}
}

// 16 goroutines share one connection.
func (c *checker) many() {
	client := c.dial()
	defer client.Close()
	var workers sync.WaitGroup
	for worker := 0; worker < 16; worker++ {
		workers.Add(1)
		go func(worker int) {
			defer workers.Done()
			for i := 0; i < 1000; i++ {
				switch i % 4 {
				case 0:
					text := fmt.Sprint(worker, " ", strings.Repeat("y", i))
					check(client, "Echo.String", text, text)
				case 1:
					check(client, "Echo.Ints", []int{worker, i}, []int{worker, i})
				default:
					check(client, "Foo.Sum", Args{worker, i}, worker+i)
				}
			}
		}(worker)
	}
	workers.Wait()
}

// Fast calls overtake slow ones.
func (c *checker) slowAndFast() {
	client := c.dial()
	defer client.Close()
	slow := make(chan time.Time, 4)
	for i := 0; i < cap(slow); i++ {
		go func(i int) {
			check(client, "Foo.SleepMs", Args{700 + i, 1}, 701+i)
			slow <- time.Now()
		}(i)
	}
	var fast []time.Time // when each of them had ended, until the first slow one did
	for len(slow) == 0 {
		check(client, "Foo.Sum", Args{len(fast), 1}, len(fast)+1)
		fast = append(fast, time.Now())
	}
	first := <-slow
	for i := 1; i < cap(slow); i++ {
		<-slow
	}
	// The slow one was under way for all that time.
	overtook := 0
	for _, end := range fast {
		if end.Before(first) && first.Sub(end) < 500*time.Millisecond {
			overtook++
		}
	}
	if overtook < 20 {
		fail("only ", overtook, " fast calls overtook the slow ones")
	}
	// A caller that has given up does not disturb the others.
	if err := client.CallTimeout(20*time.Millisecond, "Foo.SleepMs", Args{200, 0}, new(int)); err != errTimeout {
		fail("the slow call ended early: ", err)
	}
	check(client, "Foo.SleepMs", Args{300, 0}, 300)
	check(client, "Foo.Sum", Args{1, 2}, 3)
}

// GeeRPC's option can limit the time of handlers.
func (c *checker) handleTimeout() {
	codec := "application/" + strings.TrimPrefix(c.protocol, "geerpc-")
	client, err := dialGeeRPC(c.scheme, c.place, codec, 100*time.Millisecond, 1)
	if err != nil {
		fail("dial: ", err)
	}
	defer client.Close()
	for i := 0; i < 2; i++ {
		checkError(client, "Foo.SleepMs", Args{400, 0},
			"rpc server: request handle timeout: expect within 100ms")
		check(client, "Foo.Sum", Args{3, 4}, 7)
	}
}

// Calls until the server is gone; then the error must come, and soon.
func (c *checker) untilEnded() {
	client := c.dial()
	check(client, "Foo.Sum", Args{3, 4}, 7)
	fmt.Println("connected")
	slow := make(chan error, 1)
	go func() { slow <- client.Call("Foo.SleepMs", Args{60000, 0}, new(int)) }()
	var err error
	for err == nil {
		err = client.Call("Foo.Sum", Args{3, 4}, new(int))
	}
	if slowErr := <-slow; slowErr == nil {
		fail("the slow call was answered by a server that is gone")
	}
}

// Calls until it is killed.
func (c *checker) forever() {
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	client := c.dial()
	check(client, "Foo.Sum", Args{3, 4}, 7)
	fmt.Println("connected")
	for i := 0; i < 4; i++ {
		go client.Call("Foo.SleepMs", Args{60000, 0}, new(int))
	}
	for i := 0; ; i++ {
		check(client, "Echo.Ints", []int{i, 1}, []int{i, 1})
	}
}
