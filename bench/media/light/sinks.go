//go:build linux

package light

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Sinks are sockets that only take what comes, served by the loop: the receivers of the bare loop.
type Sinks struct {
	loop *Loop
	ends []*End
}

// NewSinks opens n of them. coalesce lets the kernel hand over a run as one message (UDP_GRO).
func (l *Loop) NewSinks(n int, coalesce bool) (*Sinks, error) {
	s := &Sinks{loop: l}
	for range n {
		e, err := l.NewEnd()
		if err == nil && coalesce {
			err = unix.SetsockoptInt(e.fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1)
		}
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("light: sink: %w", err)
		}
		s.ends = append(s.ends, e)
	}
	return s, nil
}

// Addrs are where to send to.
func (s *Sinks) Addrs() (all []netip.AddrPort) {
	for _, e := range s.ends {
		all = append(all, e.local)
	}
	return all
}

// Close closes them.
func (s *Sinks) Close() {
	for _, e := range s.ends {
		e.Close()
	}
}
