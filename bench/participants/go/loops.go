// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"errors"
	"fmt"
	"math"
	"net/rpc"
	"sync"
	"sync/atomic"
	"time"
)

// texts are what Echo sends, in turn: letters, of which the first differ from text to text, so that
// an exchanged reply is noticed. Go's strings can't be changed in place, so there are some ready.
type texts struct {
	all  [16]string
	next int
}

func newTexts(size int) *texts {
	t := new(texts)
	for i := range t.all {
		text := make([]byte, size)
		for j := range text {
			text[j] = byte('a' + j*7%26)
		}
		for j := 0; j < 8 && j < size; j++ {
			text[j] = byte('A' + i)
		}
		t.all[i] = string(text)
	}
	return t
}

func (t *texts) take() string {
	t.next++
	return t.all[t.next%len(t.all)]
}

// cameBack compares large texts whole now and then only, and otherwise at both ends: comparing a
// megabyte takes a part of the call's time that is not the library's.
func (t *texts) cameBack(sent, reply string) bool {
	const whole, end = 4096, 64
	if len(reply) != len(sent) {
		return false
	}
	if len(sent) <= whole || t.next%64 == 1 {
		return reply == sent
	}
	return reply[:end] == sent[:end] && reply[len(reply)-end:] == sent[len(sent)-end:]
}

// loop makes the calls of one run: it adds their latencies to those of their thread, and returns how
// long they took in all.
type loop func(limit, []samples) time.Duration

var errWrong = errors.New("something wrong was returned")

// caller makes the same kind of call again and again: Echo of a size, or Add if that is 0.
type caller struct {
	size   int
	texts  *texts
	number int32
}

func newCaller(size int) *caller { return &caller{size: size, texts: newTexts(size)} }

func (c *caller) call(client *rpc.Client) error {
	if c.size == 0 {
		c.number++
		var sum int32
		if err := client.Call("Bench.Add", Numbers{c.number, 1000}, &sum); err != nil {
			return err
		}
		if sum != c.number+1000 {
			return fmt.Errorf("Add: %w", errWrong)
		}
		return nil
	}
	text := c.texts.take()
	var reply string
	if err := client.Call("Bench.Echo", text, &reply); err != nil {
		return err
	}
	if !c.texts.cameBack(text, reply) {
		return fmt.Errorf("Echo: %w", errWrong)
	}
	return nil
}

// callInSequence reads the clock once per call: a call begins when the one before it has ended.
func callInSequence(client *rpc.Client, caller *caller, l limit, latencies *samples) time.Duration {
	start := time.Now()
	before := start
	for made := 0; !l.reached(made, before.Sub(start)); made++ {
		check(caller.call(client))
		now := time.Now()
		*latencies = append(*latencies, now.Sub(before))
		before = now
	}
	return before.Sub(start)
}

// sequence: one thread that calls and waits.
func sequence(client *rpc.Client, w work) loop {
	caller := newCaller(w.size)
	return func(l limit, latencies []samples) time.Duration {
		return callInSequence(client, caller, l, &latencies[0])
	}
}

// threads: several goroutines that do so, each with its own connection, or all with the only one.
func threads(clients []*rpc.Client, w work) loop {
	callers := make([]*caller, w.count)
	for i := range callers {
		callers[i] = newCaller(w.size)
	}
	return func(l limit, latencies []samples) time.Duration {
		start := time.Now()
		var all sync.WaitGroup
		for i, caller := range callers {
			i, caller := i, caller
			all.Add(1)
			go func() {
				defer all.Done()
				callInSequence(clients[i%len(clients)], caller, l, &latencies[i])
			}()
		}
		all.Wait()
		return time.Since(start)
	}
}

// besideSlow: fast calls, while a slow one is always in flight on the same connection.
func besideSlow(client *rpc.Client, w work) loop {
	fast := newCaller(w.size)
	return func(l limit, latencies []samples) time.Duration {
		var end int32
		sleep := func() *rpc.Call { return client.Go("Bench.Sleep", int32(100), new(int32), nil) }
		first, over := sleep(), make(chan struct{})
		go func() {
			defer close(over)
			for call := first; ; call = sleep() {
				<-call.Done
				check(call.Error)
				if *call.Reply.(*int32) != 100 {
					check(fmt.Errorf("Sleep: %w", errWrong))
				}
				if atomic.LoadInt32(&end) != 0 {
					return
				}
			}
		}()
		elapsed := callInSequence(client, fast, l, &latencies[0])
		atomic.StoreInt32(&end, 1)
		<-over
		return elapsed
	}
}

// pipeline: one goroutine that keeps a window of calls in flight, which all end in one channel.
func pipeline(client *rpc.Client, w work) loop {
	texts := newTexts(w.size)
	type flight struct {
		text  string
		reply string
		start time.Time
	}
	window := make([]flight, w.count)
	flights := make(map[any]*flight, w.count) // by the address of the reply
	for i := range window {
		flights[&window[i].reply] = &window[i]
	}
	done := make(chan *rpc.Call, w.count)
	return func(l limit, latencies []samples) time.Duration {
		start := time.Now()
		now, begun := start, 0
		begin := func(f *flight) {
			// The reply must be emptied: gob does not send what is zero.
			f.text, f.reply, f.start = texts.take(), "", now
			client.Go("Bench.Echo", f.text, &f.reply, done)
			begun++
		}
		for i := 0; i < len(window) && begun < l.calls; i++ {
			begin(&window[i])
		}
		for ended := 0; ended < begun; ended++ {
			call := <-done
			check(call.Error)
			f := flights[call.Reply]
			if !texts.cameBack(f.text, f.reply) {
				check(fmt.Errorf("Echo: %w", errWrong))
			}
			now = time.Now()
			latencies[0] = append(latencies[0], now.Sub(f.start))
			if !l.reached(begun, now.Sub(start)) {
				begin(f)
			}
		}
		return now.Sub(start)
	}
}

// silence: connections that are there and do nothing.
func silence(l limit, _ []samples) time.Duration {
	if l.time == math.MaxInt64 {
		return 0
	}
	time.Sleep(l.time)
	return l.time
}
