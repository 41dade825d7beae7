// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

// Benchmark client: Go's net/rpc as its documentation writes it. It speaks with the driver as
// bench/harness/client_main.hpp does. Usage: client PORT WORK [gob|json]
package main

import (
	"bufio"
	"fmt"
	"log"
	"math"
	"net"
	"net/rpc"
	"os"
	"strconv"
	"strings"
	"time"
)

// work is what a client is to do, e.g. "threads:16:1024".
type work struct {
	kind  string
	count int // threads, connections, or calls in flight
	size  int // bytes of Echo; 0: Add
}

func parseWork(text string) (work, error) {
	parts := strings.Split(text, ":")
	w := work{kind: parts[0], count: 1}
	var numbers []*int
	switch w.kind {
	case "add":
	case "slow":
		w.size = 16
	case "echo":
		numbers = []*int{&w.size}
	case "connections":
		numbers = []*int{&w.count}
	case "threads", "shared", "pipe", "pipecb":
		numbers = []*int{&w.count, &w.size}
	default:
		return w, fmt.Errorf("this is no work: %s", text)
	}
	if len(parts) != 1+len(numbers) {
		return w, fmt.Errorf("this is no work: %s", text)
	}
	for i, number := range numbers {
		var err error
		if *number, err = strconv.Atoi(parts[1+i]); err != nil {
			return w, err
		}
	}
	if w.count < 1 || w.size < 0 {
		return w, fmt.Errorf("this is no work: %s", text)
	}
	return w, nil
}

// limit is where a run ends: after a time, or after a number of calls per thread.
type limit struct {
	time  time.Duration
	calls int
}

func (l limit) reached(made int, passed time.Duration) bool {
	return made >= l.calls || passed >= l.time
}

func parseCommand(line string) (limit, error) {
	l := limit{time: math.MaxInt64, calls: math.MaxInt}
	words := strings.Fields(line)
	if len(words) == 2 {
		number, err := strconv.Atoi(words[1])
		switch {
		case err != nil:
			return l, err
		case words[0] == "run":
			l.time = time.Duration(number) * time.Millisecond
			return l, nil
		case words[0] == "calls":
			l.calls = number
			return l, nil
		}
	}
	return l, fmt.Errorf("this is no command: %s", line)
}

// loopFor opens the connections and returns what makes their calls, and in how many threads.
func loopFor(w work, connect func() *rpc.Client) (loop, int) {
	clients := []*rpc.Client{connect()}
	several := w.kind == "threads" || w.kind == "connections"
	for several && len(clients) < w.count {
		clients = append(clients, connect())
	}
	for _, client := range clients {
		check(newCaller(0).call(client))
	}
	switch w.kind {
	case "connections":
		return silence, 0
	case "threads", "shared":
		return threads(clients, w), w.count
	case "slow":
		return besideSlow(clients[0], w), 1
	case "pipe":
		return pipeline(clients[0], w), 1
	}
	return sequence(clients[0], w), 1
}

// check ends the program, from any goroutine, if there is an error.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	log.SetFlags(0)
	var words []string
	for _, word := range os.Args[1:] {
		if !strings.Contains(word, "=") { // options are for others
			words = append(words, word)
		}
	}
	if len(words) < 2 {
		log.Fatal("usage: client PORT WORK [gob|json]")
	}
	w, err := parseWork(words[1])
	check(err)
	mode, err := modeNamed(strings.Join(words[2:], " "))
	check(err)
	if w.kind == "pipecb" {
		fmt.Println("unsupported: no callbacks")
		return
	}
	calls, threadCount := loopFor(w, func() *rpc.Client {
		connection, err := net.Dial("tcp", "127.0.0.1:"+words[0])
		check(err)
		return mode.newClient(connection)
	})

	fmt.Println("ready")
	latencies := make([]samples, threadCount)
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		l, err := parseCommand(commands.Text())
		check(err)
		for i := range latencies {
			latencies[i] = latencies[i][:0]
		}
		elapsed := calls(l, latencies)
		fmt.Println(resultLine(latencies, elapsed))
	}
	check(commands.Err())
}
