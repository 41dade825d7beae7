// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

// Calls the servers that a registry lists, in turn or all at once, as GeeRPC's XClient does.
type cluster struct {
	protocol string
	url      string

	mutex   sync.Mutex // guards the rest
	next    int
	clients map[string]caller
}

var errNobody = errors.New("rpc discovery: no available servers")

// The connection to a server, made when it is needed first.
func (c *cluster) client(server string) (caller, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if client := c.clients[server]; client != nil {
		return client, nil
	}
	scheme, place := split(server)
	client, err := dialProtocol(c.protocol, scheme, place, paddedOption)
	if err == nil {
		c.clients[server] = client
	}
	return client, err
}

// A connection on which a call failed is not used again.
func (c *cluster) callOne(server, method string, args, reply any) error {
	client, err := c.client(server)
	if err != nil {
		return err
	}
	if err = client.CallTimeout(20*time.Second, method, args, reply); err != nil {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		delete(c.clients, server)
		client.Close()
	}
	return err
}

// Asks the registry each time, so that the test need not wait.
func (c *cluster) call(method string, args, reply any) error {
	servers, err := listServers(c.url)
	if err != nil {
		return err
	}
	if len(servers) == 0 {
		return errNobody
	}
	c.mutex.Lock()
	server := servers[c.next%len(servers)]
	c.next++
	c.mutex.Unlock()
	return c.callOne(server, method, args, reply)
}

// The names of all servers, asked at the same time.
func (c *cluster) broadcast() ([]string, error) {
	servers, err := listServers(c.url)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(servers))
	errs := make([]error, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		i, server := i, server
		all.Add(1)
		go func() {
			defer all.Done()
			errs[i] = c.callOne(server, "Who.AreYou", struct{}{}, &names[i])
		}()
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	sort.Strings(names)
	return names, nil
}

// Answers each line of its input with one line:
//
//	turns N     who answered N calls, e.g. "alice 2, bob 2", and which failed, as "lost 1"
//	all         who answered a broadcast, e.g. "alice bob"
func callCluster(protocol, url string) {
	c := &cluster{protocol: protocol, url: url, clients: map[string]caller{}}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var turns int
		if _, err := fmt.Sscanf(lines.Text(), "turns %d", &turns); err == nil {
			fmt.Println(c.turns(turns))
		} else if names, err := c.broadcast(); err != nil {
			fmt.Println("error:", err)
		} else {
			fmt.Println(strings.Join(names, " "))
		}
	}
}

func (c *cluster) turns(number int) string {
	counts := map[string]int{}
	for i := 0; i < number; i++ {
		var name string
		if c.call("Who.AreYou", struct{}{}, &name) != nil {
			name = "lost"
		}
		counts[name]++
	}
	words := []string{}
	for name, count := range counts {
		words = append(words, fmt.Sprint(name, " ", count))
	}
	sort.Strings(words)
	return strings.Join(words, ", ")
}
