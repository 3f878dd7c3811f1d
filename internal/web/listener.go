package web

import (
	"net"
	"net/netip"
	"sync"

	"parley.link/parley/internal/limit"
)

// bounded closes at once what one network opens beyond its share: connections that say nothing cost a stranger nothing, and each holds a file
// descriptor that the store and the media ports live from, too.
type bounded struct {
	net.Listener
	open *limit.Open
}

// Accept implements net.Listener.
func (l *bounded) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addrOf(c.RemoteAddr().String())
		if !l.open.Take(from) {
			_ = c.Close()
			continue
		}
		return &held{Conn: c, give: func() { l.open.Give(from) }}, nil
	}
}

type held struct {
	net.Conn
	once sync.Once
	give func()
}

// Close gives the place back.
func (c *held) Close() error {
	c.once.Do(c.give)
	return c.Conn.Close()
}

func addrOf(hostPort string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return ap.Addr().Unmap()
}
