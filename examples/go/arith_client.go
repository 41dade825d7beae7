//go:build ignore

// Calls the service of ../net_rpc_server.cpp as it would call one in Go:
//
//	go run arith_client.go 127.0.0.1:1234
package main

import (
	"fmt"
	"log"
	"net/rpc"
	"os"
)

type Args struct{ A, B int }

type Quotient struct{ Quo, Rem int }

func main() {
	client, err := rpc.DialHTTP("tcp", os.Args[1])
	if err != nil {
		log.Fatal("can't connect: ", err)
	}
	defer client.Close()

	// One call, and its result.
	var product int
	if err := client.Call("Arith.Multiply", &Args{7, 8}, &product); err != nil {
		log.Fatal("Multiply: ", err)
	}
	fmt.Println("7 * 8 =", product)

	// One that goes on in the background.
	var quotient Quotient
	division := client.Go("Arith.Divide", &Args{17, 5}, &quotient, nil)
	if ended := <-division.Done; ended.Error != nil {
		log.Fatal("Divide: ", ended.Error)
	}
	fmt.Printf("17 / 5 = %d, remainder %d\n", quotient.Quo, quotient.Rem)

	// One that fails.
	fmt.Println("1 / 0:", client.Call("Arith.Divide", &Args{1, 0}, &quotient))
}
