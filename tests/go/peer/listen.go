// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// Listeners, and connections that begin with HTTP CONNECT, from both of their ends.

// How many connections were accepted: by this a client of ours shows that it keeps its own.
var accepted int64

type countingListener struct{ net.Listener }

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		atomic.AddInt64(&accepted, 1)
	}
	return conn, err
}

func listen(scheme, place string) (net.Listener, error) {
	if scheme == "http" {
		scheme = "tcp"
	}
	listener, err := net.Listen(scheme, place)
	return countingListener{listener}, err
}

func acceptAll(listener net.Listener, serve func(io.ReadWriteCloser)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go serve(conn)
	}
}

// Serves what comes behind a CONNECT. Bytes that came together with it are lost, as they are with
// Go's servers: a client has to wait for the answer.
func acceptTunnels(listener net.Listener, path, answer string, serve func(io.ReadWriteCloser)) {
	mux := http.NewServeMux()
	mux.HandleFunc(path, func(w http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			io.WriteString(conn, "HTTP/1.0 "+answer+"\n\n")
			serve(conn)
		}
	})
	http.Serve(listener, mux)
}

func connectTunnel(conn net.Conn, path, answer string) error {
	io.WriteString(conn, "CONNECT "+path+" HTTP/1.0\n\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: "CONNECT"})
	if err != nil {
		return err
	}
	if response.Status != answer {
		return errors.New("unexpected HTTP response: " + response.Status)
	}
	return nil
}
