// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

// A Go program on the other end of the connection, for the tests in this folder: a client and a
// server of Go's own net/rpc, and of GeeRPC as docs/protocol.md describes it. It uses nothing but
// Go's standard library.
//
//	peer serve PROTOCOL ADDRESS      prints the address that it listens on; ends with its input
//	peer check PROTOCOL ADDRESS      makes calls, compares what comes back, prints "ok" at the end
//	peer PART PROTOCOL ADDRESS       only a part of these checks, or another task: see parts
//
// PROTOCOL is netrpc, geerpc-gob or geerpc-json; ADDRESS is tcp@host:port, http@host:port (HTTP
// CONNECT) or unix@path.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if len(os.Args) != 4 {
		fail("usage: peer serve|check|PART PROTOCOL ADDRESS")
	}
	task, protocol := os.Args[1], os.Args[2]
	scheme, place, found := strings.Cut(os.Args[3], "@")
	if !found {
		fail("the address must be scheme@place: ", os.Args[3])
	}
	if task == "serve" {
		serve(protocol, scheme, place)
		return
	}
	part, known := parts[task]
	if !known {
		fail("no such task: ", task)
	}
	dial := func() caller {
		client, err := dialProtocol(protocol, scheme, place)
		if err != nil {
			fail("dial: ", err)
		}
		return client
	}
	part(&checker{protocol: protocol, dial: dial})
	fmt.Println("ok")
}

func serve(protocol, scheme, place string) {
	listener, err := listen(scheme, place)
	if err != nil {
		fail("listen: ", err)
	}
	switch protocol {
	case "netrpc":
		serveNetRPC(listener, scheme == "http")
	case "geerpc-gob", "geerpc-json":
		serveGeeRPC(listener, scheme == "http")
	default:
		fail("no such protocol: ", protocol)
	}
	if scheme == "unix" {
		fmt.Println("unix@" + place)
	} else {
		fmt.Println(scheme + "@" + listener.Addr().String())
	}
	io.Copy(io.Discard, os.Stdin) // until the test is over, or gone
}

func fail(words ...any) {
	fmt.Println("failed:", fmt.Sprint(words...))
	os.Exit(1)
}
