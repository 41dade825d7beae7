// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"encoding/gob"
	"errors"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"net/rpc/jsonrpc"
	"time"
)

// What travels inside of interface values must be known by name.
func init() {
	gob.Register(Item{})
	gob.Register(Inner{})
	gob.Register([]int{})
}

func registered() *rpc.Server {
	server := rpc.NewServer()
	for _, service := range services() {
		if err := server.Register(service); err != nil {
			fail("register: ", err)
		}
	}
	return server
}

// The server that net/rpc's documentation shows.
func serveNetRPC(listener net.Listener, overHTTP bool) {
	server := registered()
	if overHTTP {
		mux := http.NewServeMux()
		mux.Handle(rpc.DefaultRPCPath, server)
		go http.Serve(listener, mux)
	} else {
		go server.Accept(listener)
	}
}

// JSON-RPC 1.0. Go's package has no functions for it behind CONNECT; C++ programs of ours put it
// there at GeeRPC's path.
func serveJSONRPC(listener net.Listener, overHTTP bool) {
	server := registered()
	serve := func(conn io.ReadWriteCloser) { server.ServeCodec(jsonrpc.NewServerCodec(conn)) }
	if overHTTP {
		go acceptTunnels(listener, connectPath, connected, serve)
	} else {
		go acceptAll(listener, serve)
	}
}

func dialJSONRPC(scheme, place string) (*rpc.Client, error) {
	if scheme != "http" {
		return jsonrpc.Dial(scheme, place)
	}
	conn, err := net.Dial("tcp", place)
	if err != nil {
		return nil, err
	}
	if err := connectTunnel(conn, connectPath, connected); err != nil {
		return nil, err
	}
	return jsonrpc.NewClient(conn), nil
}

// What the clients of all protocols can do.
type caller interface {
	Call(method string, args, reply any) error
	// Gives up after the timeout.
	CallTimeout(timeout time.Duration, method string, args, reply any) error
	Close() error
}

type netRPC struct{ *rpc.Client }

func (c netRPC) CallTimeout(timeout time.Duration, method string, args, reply any) error {
	select {
	case call := <-c.Go(method, args, reply, make(chan *rpc.Call, 1)).Done:
		return call.Error
	case <-time.After(timeout):
		return errTimeout
	}
}

var errTimeout = errors.New("timeout of the caller")

// The option of GeeRPC has at least `optionSize` bytes.
func dialProtocol(protocol, scheme, place string, optionSize int) (caller, error) {
	switch protocol {
	case "netrpc":
		var client *rpc.Client
		var err error
		if scheme == "http" {
			client, err = rpc.DialHTTP("tcp", place)
		} else {
			client, err = rpc.Dial(scheme, place)
		}
		if err != nil {
			return nil, err
		}
		return netRPC{client}, nil
	case "jsonrpc":
		client, err := dialJSONRPC(scheme, place)
		if err != nil {
			return nil, err
		}
		return netRPC{client}, nil
	case "geerpc-gob":
		return dialGeeRPC(scheme, place, "application/gob", 0, optionSize)
	case "geerpc-json":
		return dialGeeRPC(scheme, place, "application/json", 0, optionSize)
	}
	return nil, errors.New("no such protocol: " + protocol)
}
