//go:build linux

package sfu

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"parley.link/parley/bench/media/light"
)

// Seat says who joins, and what for.
type Seat struct {
	Room   string
	Name   string
	Audio  bool // publishes a microphone
	Video  bool // publishes a camera
	Listen bool // receives what the others of the room publish
	Remote []string
}

func (s Seat) tracks() (all []light.Track) {
	if s.Audio {
		all = append(all, light.Track{Mid: "0", Kind: light.Audio, Name: s.Name + "-audio"})
	}
	if s.Video {
		all = append(all, light.Track{Mid: "1", Kind: light.Video, Name: s.Name + "-video"})
	}
	return all
}

// Adapter is one kind of server at one address.
type Adapter interface {
	// Version asks the server, or says "" if it does not tell.
	Version(ctx context.Context) string
	// Join signals until the seat is taken and its own streams may flow; what others publish follows. The person is left by Close.
	Join(ctx context.Context, l *light.Loop, s Seat) (Person, error)
}

// Person is somebody in a room.
type Person interface {
	Up() *light.End      // nil: publishes nothing
	Downs() []*light.End // so far
	Err() error          // of the signalling, nil while all is well
	Close()
}

// New makes the adapter of a kind: parley, galene, livekit or janus.
func New(kind, address string) (Adapter, error) {
	switch kind {
	case "parley":
		return &parley{address: address}, nil
	case "galene":
		return &galene{address: address}, nil
	case "livekit":
		return &livekit{address: address}, nil
	case "janus":
		return &janus{address: address}, nil
	}
	return nil, fmt.Errorf("sfu: no adapter for %q", kind)
}

// Await waits until something listens at a TCP address.
func Await(ctx context.Context, address string) error {
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("sfu: nobody listens at %s: %w", address, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var errGone = errors.New("sfu: the server closed the signalling")

// base is what all persons have.
type base struct {
	up   *light.End
	wait sync.WaitGroup
	stop context.CancelFunc
	once sync.Once

	mu    sync.Mutex
	downs []*light.End
	err   error
}

func (b *base) Up() *light.End { return b.up }

func (b *base) Downs() []*light.End {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*light.End(nil), b.downs...)
}

func (b *base) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

func (b *base) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}

func (b *base) down(e *light.End) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.downs = append(b.downs, e)
}

func (b *base) drop(e *light.End) {
	b.mu.Lock()
	b.downs = slices.DeleteFunc(b.downs, func(x *light.End) bool { return x == e })
	b.mu.Unlock()
	e.Close()
}

// close ends the signalling first, then the connections.
func (b *base) close() {
	b.once.Do(func() {
		b.stop()
		b.wait.Wait()
		for _, e := range append(b.Downs(), b.up) {
			if e != nil {
				e.Close()
			}
		}
	})
}

func token(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand, Go 1.24)
	return hex.EncodeToString(b)
}
