package stage

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// cable is the wire between the nodes' link ports. It can be cut, and it keeps what went through it.
type cable struct {
	t    *testing.T
	dead atomic.Bool
	wait sync.WaitGroup

	mu      sync.Mutex
	sockets []*net.UDPConn
	keep    int // bytes still to be kept
	kept    bytes.Buffer
	packets uint64
}

func newCable(t *testing.T) *cable {
	c := &cable{t: t, keep: 64 << 20}
	t.Cleanup(func() {
		c.mu.Lock()
		for _, s := range c.sockets {
			_ = s.Close()
		}
		c.mu.Unlock()
		c.wait.Wait()
	})
	return c
}

// plug puts the cable into a stage.
func (c *cable) plug(cfg *Config) { cfg.Via = c.via }

func (c *cable) via(_ int, listen string) (string, error) {
	to, err := net.ResolveUDPAddr("udp", listen)
	if err != nil {
		return "", err
	}
	front, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return "", err
	}
	c.own(front)
	c.wait.Go(func() { c.runFront(front, to) })
	return front.LocalAddr().String(), nil
}

func (c *cable) own(s *net.UDPConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sockets = append(c.sockets, s)
}

func (c *cable) runFront(front *net.UDPConn, to *net.UDPAddr) {
	backs := map[string]*net.UDPConn{}
	b := make([]byte, 1<<16)
	for {
		n, from, err := front.ReadFromUDP(b)
		if err != nil {
			return
		}
		back := backs[from.String()]
		if back == nil {
			if back, err = net.DialUDP("udp", nil, to); err != nil {
				return
			}
			c.own(back)
			backs[from.String()] = back
			c.wait.Go(func() { c.runBack(back, front, from) })
		}
		if c.pass(b[:n]) {
			_, _ = back.Write(b[:n])
		}
	}
}

func (c *cable) runBack(back, front *net.UDPConn, to *net.UDPAddr) {
	b := make([]byte, 1<<16)
	for {
		n, err := back.Read(b)
		if err != nil {
			if _, gone := err.(*net.OpError); gone && c.closed(back) {
				return
			}
			continue // a port that is closed for a while: its node was killed
		}
		if c.pass(b[:n]) {
			_, _ = front.WriteToUDP(b[:n], to)
		}
	}
}

// closed says whether a socket was closed by us: what else fails on a connected UDP socket passes.
func (c *cable) closed(s *net.UDPConn) bool {
	_, err := s.Write(nil)
	return err != nil && bytes.Contains([]byte(err.Error()), []byte("closed"))
}

func (c *cable) pass(b []byte) bool {
	if c.dead.Load() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.packets++
	if c.keep >= len(b) {
		c.keep -= len(b)
		c.kept.Write(b)
	}
	return true
}

// everything that went through.
func (c *cable) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.kept.Bytes())
}
