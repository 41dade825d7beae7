// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"time"
)

// GeeRPC as docs/protocol.md describes it, with the two faults of its server that a client has to
// live with: what comes together with the option is lost, and the body of an unknown method is
// taken for the next header.

const (
	magic       = 0x3bef5c
	connectPath = "/_geeprc_"
	connected   = "200 Connected to Gee RPC"
)

type Option struct {
	MagicNumber    int
	CodecType      string
	ConnectTimeout time.Duration
	HandleTimeout  time.Duration
}

type Header struct {
	ServiceMethod string
	Seq           uint64
	Error         string
}

// Values one after another, in one of the two formats.
type stream struct {
	conn   io.ReadWriteCloser
	out    *bufio.Writer
	decode func(any) error
	encode func(any) error
}

func newStream(conn io.ReadWriteCloser, codec string) *stream {
	s := &stream{conn: conn, out: bufio.NewWriter(conn)}
	switch codec {
	case "application/gob":
		s.decode, s.encode = gob.NewDecoder(conn).Decode, gob.NewEncoder(s.out).Encode
	case "application/json":
		decoder := json.NewDecoder(conn)
		s.encode = json.NewEncoder(s.out).Encode
		s.decode = func(value any) error {
			if value == nil {
				value = new(json.RawMessage) // to be thrown away
			}
			return decoder.Decode(value)
		}
	default:
		return nil
	}
	return s
}

func (s *stream) write(header Header, body any) error {
	if err := s.encode(header); err != nil {
		return err
	}
	if err := s.encode(body); err != nil {
		return err
	}
	return s.out.Flush()
}

// ---- The server.

func serveGeeRPC(listener net.Listener, overHTTP bool) {
	if overHTTP {
		go acceptTunnels(listener, connectPath, connected, serveConnection)
	} else {
		go acceptAll(listener, serveConnection)
	}
}

// "Foo.Sum" to the method of that name.
func findMethod(name string) (reflect.Value, error) {
	dot := strings.LastIndex(name, ".")
	if dot < 0 {
		return reflect.Value{}, errors.New("rpc server: service/method request ill-formed: " + name)
	}
	for _, service := range services() {
		value := reflect.ValueOf(service)
		if value.Type().Name() != name[:dot] {
			continue
		}
		if method := value.MethodByName(name[dot+1:]); method.IsValid() {
			return method, nil
		}
		return reflect.Value{}, errors.New("rpc server: can't find method " + name[dot+1:])
	}
	return reflect.Value{}, errors.New("rpc server: can't find service " + name[:dot])
}

func serveConnection(conn io.ReadWriteCloser) {
	defer conn.Close()
	var option Option
	if json.NewDecoder(conn).Decode(&option) != nil || option.MagicNumber != magic {
		return
	}
	s := newStream(conn, option.CodecType)
	if s == nil {
		return
	}
	var writing sync.Mutex
	var running sync.WaitGroup
	defer running.Wait()
	reply := func(header Header, body any) {
		writing.Lock()
		defer writing.Unlock()
		if s.write(header, body) != nil {
			conn.Close()
		}
	}
	for {
		var header Header
		if s.decode(&header) != nil {
			return
		}
		method, err := findMethod(header.ServiceMethod)
		if err != nil {
			header.Error = err.Error()
			reply(header, struct{}{})
			continue
		}
		args := reflect.New(method.Type().In(0))
		if err := s.decode(args.Interface()); err != nil {
			header.Error = err.Error()
			reply(header, struct{}{})
			continue
		}
		running.Add(1)
		go func() {
			defer running.Done()
			handle(header, method, args.Elem(), option.HandleTimeout, reply)
		}()
	}
}

func handle(header Header, method, args reflect.Value, limit time.Duration, reply func(Header, any)) {
	result := reflect.New(method.Type().In(1).Elem())
	done := make(chan error, 1)
	go func() {
		err, _ := method.Call([]reflect.Value{args, result})[0].Interface().(error)
		done <- err
	}()
	var late <-chan time.Time
	if limit > 0 {
		late = time.After(limit)
	}
	select {
	case err := <-done:
		if err != nil {
			header.Error = err.Error()
			reply(header, struct{}{})
		} else {
			reply(header, result.Interface())
		}
	case <-late:
		header.Error = fmt.Sprintf("rpc server: request handle timeout: expect within %s", limit)
		reply(header, struct{}{})
	}
}

// ---- The client.

type pendingCall struct {
	reply any
	done  chan error
}

type geeRPC struct {
	s       *stream
	writing sync.Mutex
	mutex   sync.Mutex // guards the rest
	seq     uint64
	pending map[uint64]*pendingCall
	broken  error
}

// Servers in Go read 512 bytes for the option, and lose what else is among them: so whoever may meet
// one makes its option that long. Blanks in front of it do no harm.
const paddedOption = 512

// The option has at least `size` bytes.
func dialGeeRPC(scheme, place, codec string, limit time.Duration, size int) (*geeRPC, error) {
	network := scheme
	if scheme == "http" {
		network = "tcp"
	}
	conn, err := net.Dial(network, place)
	if err != nil {
		return nil, err
	}
	if scheme == "http" {
		if err := connectTunnel(conn, connectPath, connected); err != nil {
			return nil, err
		}
	}
	option, err := json.Marshal(Option{magic, codec, 10 * time.Second, limit})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conn, "%*s\n", size-1, option); err != nil {
		return nil, err
	}
	client := &geeRPC{s: newStream(conn, codec), seq: 1, pending: map[uint64]*pendingCall{}}
	go client.receive()
	return client, nil
}

func (c *geeRPC) receive() {
	var err error
	for err == nil {
		var header Header
		if err = c.s.decode(&header); err != nil {
			break
		}
		c.mutex.Lock()
		call := c.pending[header.Seq]
		delete(c.pending, header.Seq)
		c.mutex.Unlock()
		switch {
		case call == nil:
			err = c.s.decode(nil)
		case header.Error != "":
			err = c.s.decode(nil)
			call.done <- errors.New(header.Error)
		default:
			err = c.s.decode(call.reply)
			if err != nil {
				call.done <- fmt.Errorf("reading body %w", err)
			} else {
				call.done <- nil
			}
		}
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.broken = err
	for _, call := range c.pending {
		call.done <- err
	}
	c.pending = nil
}

func (c *geeRPC) start(method string, args, reply any) (*pendingCall, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	call := &pendingCall{reply, make(chan error, 1)}
	c.mutex.Lock()
	if c.broken != nil {
		c.mutex.Unlock()
		return nil, c.broken
	}
	seq := c.seq
	c.seq++
	c.pending[seq] = call
	c.mutex.Unlock()
	return call, c.s.write(Header{ServiceMethod: method, Seq: seq}, args)
}

func (c *geeRPC) Call(method string, args, reply any) error {
	call, err := c.start(method, args, reply)
	if err != nil {
		return err
	}
	return <-call.done
}

func (c *geeRPC) CallTimeout(timeout time.Duration, method string, args, reply any) error {
	call, err := c.start(method, args, reply)
	if err != nil {
		return err
	}
	select {
	case err := <-call.done:
		return err
	case <-time.After(timeout):
		return errTimeout
	}
}

func (c *geeRPC) Close() error { return c.s.conn.Close() }
