//go:build ignore

// Serves what ../net_rpc_client.cpp calls, until its standard input ends:
//
//	go run arith_server.go tcp 127.0.0.1:1234
package main

import (
	"errors"
	"io"
	"log"
	"net"
	"net/rpc"
	"os"
)

type Args struct{ A, B int }

type Quotient struct{ Quo, Rem int }

type Arith struct{}

func (Arith) Multiply(args *Args, product *int) error {
	*product = args.A * args.B
	return nil
}

func (Arith) Divide(args *Args, quotient *Quotient) error {
	if args.B == 0 {
		return errors.New("divide by zero")
	}
	*quotient = Quotient{args.A / args.B, args.A % args.B}
	return nil
}

func main() {
	if err := rpc.Register(Arith{}); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal("can't listen: ", err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go rpc.ServeConn(conn)
		}
	}()
	io.Copy(io.Discard, os.Stdin)
	listener.Close() // removes the file of a unix socket
}
