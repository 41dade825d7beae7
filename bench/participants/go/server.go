// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

// Benchmark server: Go's net/rpc as its documentation writes it. Usage: server [gob|json]
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/rpc"
	"os"
	"time"
)

type Bench struct{}

func (Bench) Add(numbers Numbers, sum *int32) error {
	*sum = numbers.A + numbers.B
	return nil
}

func (Bench) Echo(text string, reply *string) error {
	*reply = text
	return nil
}

func (Bench) Sleep(milliseconds int32, reply *int32) error {
	time.Sleep(time.Duration(milliseconds) * time.Millisecond)
	*reply = milliseconds
	return nil
}

func main() {
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	mode, err := modeNamed(name)
	if err != nil {
		log.Fatal(err)
	}
	if err := rpc.Register(Bench{}); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			// TCP_NODELAY is Go's default.
			connection, err := listener.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go mode.serve(connection)
		}
	}()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	io.Copy(io.Discard, os.Stdin)
}
