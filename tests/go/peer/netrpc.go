// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"encoding/gob"
	"errors"
	"net"
	"net/http"
	"net/rpc"
	"time"
)

// What travels inside of interface values must be known by name.
func init() {
	gob.Register(Item{})
	gob.Register(Inner{})
	gob.Register([]int{})
}

func listen(scheme, place string) (net.Listener, error) {
	if scheme == "http" {
		scheme = "tcp"
	}
	return net.Listen(scheme, place)
}

// The server that net/rpc's documentation shows.
func serveNetRPC(listener net.Listener, overHTTP bool) {
	server := rpc.NewServer()
	for _, service := range services() {
		if err := server.Register(service); err != nil {
			fail("register: ", err)
		}
	}
	if overHTTP {
		mux := http.NewServeMux()
		mux.Handle(rpc.DefaultRPCPath, server)
		go http.Serve(listener, mux)
	} else {
		go server.Accept(listener)
	}
}

// What the clients of both protocols can do.
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

func dialProtocol(protocol, scheme, place string) (caller, error) {
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
	case "geerpc-gob":
		return dialGeeRPC(scheme, place, "application/gob", 0)
	case "geerpc-json":
		return dialGeeRPC(scheme, place, "application/json", 0)
	}
	return nil, errors.New("no such protocol: " + protocol)
}
