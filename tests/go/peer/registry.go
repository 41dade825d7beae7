// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"errors"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
)

// GeeRPC's registry, its heartbeats, and the question for its list, over HTTP.

const (
	registryPath  = "/_geerpc_/registry"
	serverHeader  = "X-Geerpc-Server"
	serversHeader = "X-Geerpc-Servers"
	beatPeriod    = 100 * time.Millisecond // GeeRPC's own is 4 minutes
)

type registry struct {
	ttl   time.Duration
	mutex sync.Mutex
	beats map[string]time.Time // the last one of each server
}

func (r *registry) alive() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	servers := []string{}
	for server, beat := range r.beats {
		if time.Since(beat) < r.ttl {
			servers = append(servers, server)
		} else {
			delete(r.beats, server)
		}
	}
	sort.Strings(servers)
	return servers
}

func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	switch request.Method {
	case http.MethodGet:
		w.Header().Set(serversHeader, strings.Join(r.alive(), ","))
	case http.MethodPost:
		server := request.Header.Get(serverHeader)
		if server == "" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.beats[server] = time.Now()
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// Returns its URL.
func serveRegistry(ttl time.Duration) string {
	listener, err := listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("listen: ", err)
	}
	mux := http.NewServeMux()
	mux.Handle(registryPath, &registry{ttl: ttl, beats: map[string]time.Time{}})
	go http.Serve(listener, mux)
	return "http://" + listener.Addr().String() + registryPath
}

func askRegistry(method, url, server string) (*http.Response, error) {
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		return nil, err
	}
	if server != "" {
		request.Header.Set(serverHeader, server)
	}
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New("registry: " + response.Status)
	}
	return response, nil
}

// For ever; one that fails is followed by the next.
func heartbeats(url, server string) {
	for ; ; time.Sleep(beatPeriod) {
		askRegistry(http.MethodPost, url, server)
	}
}

func listServers(url string) ([]string, error) {
	response, err := askRegistry(http.MethodGet, url, "")
	if err != nil {
		return nil, err
	}
	servers := []string{}
	for _, server := range strings.Split(response.Header.Get(serversHeader), ",") {
		if server = strings.TrimSpace(server); server != "" {
			servers = append(servers, server)
		}
	}
	return servers, nil
}
