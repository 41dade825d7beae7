// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

// What the client and the server of the Go participant share: the service's names and arguments,
// and the two codecs that net/rpc comes with.
package main

import (
	"fmt"
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
)

// Numbers is what Add takes: net/rpc methods have exactly one argument.
type Numbers struct{ A, B int32 }

// mode is a codec of the standard library: gob is net/rpc's own, json is JSON-RPC 1.0.
type mode struct {
	serve     func(io.ReadWriteCloser)
	newClient func(io.ReadWriteCloser) *rpc.Client
}

func modeNamed(name string) (mode, error) {
	switch name {
	case "", "gob":
		return mode{rpc.ServeConn, rpc.NewClient}, nil
	case "json":
		return mode{jsonrpc.ServeConn, jsonrpc.NewClient}, nil
	}
	return mode{}, fmt.Errorf("no mode %q: gob or json", name)
}
