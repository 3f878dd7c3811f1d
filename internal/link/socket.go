package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/udp"
)

// socketBuffer is asked of the kernel, which may grant less: 50 ms of 20,000 packets a second.
const socketBuffer = 4 << 20

func listen(address string) (Socket, error) {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: listen address %q: %w", ErrConfig, address, err)
	}
	s, err := net.ListenUDP("udp", a)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen for the link: %w", problem.New(problem.PortBusy, "address", address))
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the link: %w", err)
	}
	_ = s.SetReadBuffer(socketBuffer)
	_ = s.SetWriteBuffer(socketBuffer)
	return s, nil
}

// runRead is the one reader of the port. Media is opened and handed over in this goroutine; only QUIC is copied and queued.
func (e *Endpoint) runRead(ctx context.Context) {
	in := udp.NewReader(e.socket)
	take := func(b []byte, from netip.AddrPort) { e.receive(time.Now(), b, from) }
	for {
		if err := in.Read(take); err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			// An ICMP error about some peer; reading goes on. A socket that fails for good must not burn a core until somebody looks.
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
	}
}
