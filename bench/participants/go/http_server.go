// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

// Benchmark server: JSON-RPC 2.0 by HTTP POST, as it is written with net/http and encoding/json.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

type request struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Error   *failure        `json:"error,omitempty"`
	Result  any             `json:"result,omitempty"`
}

var methods = map[string]func(params json.RawMessage) (any, error){
	"Bench.Add": func(params json.RawMessage) (any, error) {
		var numbers [2]int32
		err := json.Unmarshal(params, &numbers)
		return numbers[0] + numbers[1], err
	},
	"Bench.Echo": func(params json.RawMessage) (any, error) {
		var texts [1]string
		err := json.Unmarshal(params, &texts)
		return texts[0], err
	},
}

func answer(body io.Reader) response {
	var call request
	if err := json.NewDecoder(body).Decode(&call); err != nil {
		return response{Version: "2.0", Error: &failure{-32700, err.Error()}}
	}
	reply := response{Version: "2.0", ID: call.ID}
	method, found := methods[call.Method]
	if !found {
		reply.Error = &failure{-32601, "no method " + call.Method}
		return reply
	}
	result, err := method(call.Params)
	if err != nil {
		reply.Error = &failure{-32602, err.Error()}
		return reply
	}
	reply.Result = result
	return reply
}

func main() {
	http.HandleFunc("/jsonrpc", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(answer(r.Body)); err != nil {
			log.Print(err)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(listener, nil)) }()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	io.Copy(io.Discard, os.Stdin)
}
