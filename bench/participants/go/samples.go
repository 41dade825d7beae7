// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"time"
)

// samples are the latencies of one thread's calls. Their memory is kept from run to run, so that
// storing them costs a later run's calls next to nothing.
type samples []time.Duration

// resultLine is the line that the driver reads: the figures of all threads' calls.
func resultLine(threads []samples, elapsed time.Duration) string {
	var all samples
	if len(threads) == 1 {
		all = threads[0]
	} else {
		for _, one := range threads {
			all = append(all, one...)
		}
	}
	return fmt.Sprintf(`{"calls": %d, "seconds": %.9f, "p50_ns": %d, "p99_ns": %d, "p999_ns": %d, "errors": 0}`,
		len(all), elapsed.Seconds(), all.quantile(0.5), all.quantile(0.99), all.quantile(0.999))
}

// quantile is the latency that a share of the calls did not exceed; of no calls it is 0. It changes
// the order of the samples: not sorting them all keeps the client's processor time net/rpc's.
func (s samples) quantile(share float64) int64 {
	if len(s) == 0 {
		return 0
	}
	at := int(share * float64(len(s)-1))
	// Hoare's selection: s[at] is within s[low:high+1], and what is outside is on its right side.
	for low, high := 0, len(s)-1; low < high; {
		pivot := s[low+(high-low)/2]
		i, j := low, high
		for i <= j {
			for s[i] < pivot {
				i++
			}
			for s[j] > pivot {
				j--
			}
			if i <= j {
				s[i], s[j] = s[j], s[i]
				i++
				j--
			}
		}
		if at <= j {
			high = j
		} else if at >= i {
			low = i
		} else {
			break
		}
	}
	return s[at].Nanoseconds()
}
