package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// yieldToNodes gives this process's threads, and so those that they start, a lower priority than the nodes have: on a machine of its own a
// node does not wait for the devices of its people, and one that waits misses heartbeats and suspends.
func yieldToNodes() (restore func(), err error) {
	set := func(nice int) error {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("list the threads: %w", err)
		}
		for _, t := range threads {
			if id, err := strconv.Atoi(t.Name()); err == nil {
				_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, nice) // it may have ended
			}
		}
		return nil
	}
	return func() { _ = set(0) }, set(5)
}
