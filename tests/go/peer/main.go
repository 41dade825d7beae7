// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

// A Go program on the other end of the connection, for the tests in this folder: a client and a
// server of Go's own net/rpc and net/rpc/jsonrpc, and of GeeRPC as docs/protocol.md describes it,
// with its registry. It uses nothing but Go's standard library.
//
//	peer serve PROTOCOL ADDRESS            prints the address that it listens on
//	peer check PROTOCOL ADDRESS            makes calls, compares what comes back, prints "ok"
//	peer PART PROTOCOL ADDRESS             only a part of these checks, or another one: see parts
//	peer registry TTL                      a registry: prints its URL
//	peer member PROTOCOL ADDRESS URL NAME  serves, with heartbeats to the registry at URL
//	peer cluster PROTOCOL URL              calls the servers that the registry at URL knows
//
// PROTOCOL is netrpc, jsonrpc, geerpc-gob or geerpc-json; ADDRESS is tcp@host:port, http@host:port
// (HTTP CONNECT) or unix@path. What serves ends with its standard input.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	words := os.Args[1:]
	if len(words) < 2 {
		fail("a task and its arguments are missing")
	}
	switch task := words[0]; {
	case task == "serve" && len(words) == 3:
		fmt.Println(serve(words[1], words[2]))
		untilInputEnds()
	case task == "registry" && len(words) == 2:
		fmt.Println(serveRegistry(duration(words[1])))
		untilInputEnds()
	case task == "member" && len(words) == 5:
		whoAmI = words[4]
		address := serve(words[1], words[2])
		go heartbeats(words[3], address)
		fmt.Println(address)
		untilInputEnds()
	case task == "cluster" && len(words) == 3:
		callCluster(words[1], words[2])
	case parts[task] != nil && len(words) == 3:
		scheme, place := split(words[2])
		dial := func() caller {
			client, err := dialProtocol(words[1], scheme, place, 1)
			if err != nil {
				fail("dial: ", err)
			}
			return client
		}
		parts[task](&checker{protocol: words[1], scheme: scheme, place: place, dial: dial})
		fmt.Println("ok")
	default:
		fail("no such task, or not its arguments: ", words)
	}
}

// Returns the address that it listens on.
func serve(protocol, address string) string {
	scheme, place := split(address)
	listener, err := listen(scheme, place)
	if err != nil {
		fail("listen: ", err)
	}
	overHTTP := scheme == "http"
	switch protocol {
	case "netrpc":
		serveNetRPC(listener, overHTTP)
	case "jsonrpc":
		serveJSONRPC(listener, overHTTP)
	case "geerpc-gob", "geerpc-json":
		serveGeeRPC(listener, overHTTP)
	default:
		fail("no such protocol: ", protocol)
	}
	if _, isTCP := listener.Addr().(*net.TCPAddr); isTCP {
		place = listener.Addr().String()
	}
	return scheme + "@" + place
}

func split(address string) (scheme, place string) {
	scheme, place, found := strings.Cut(address, "@")
	if !found {
		fail("the address must be scheme@place: ", address)
	}
	return scheme, place
}

func duration(text string) time.Duration {
	value, err := time.ParseDuration(text)
	if err != nil {
		fail(err)
	}
	return value
}

// The test is over then, or gone.
func untilInputEnds() { io.Copy(io.Discard, os.Stdin) }

func fail(words ...any) {
	fmt.Println("failed:", fmt.Sprint(words...))
	os.Exit(1)
}
