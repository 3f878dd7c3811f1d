package turn

import (
	"errors"
	"net"
	"net/netip"

	"github.com/pion/turn/v5"
)

var errNoTCPRelay = errors.New("turn: only UDP is relayed")

// relays makes the relaying sockets. A TURN permission names an IP address, not a port, so the library's check alone would open every
// UDP port of this machine; the socket itself lets only the media ports through, both ways.
type relays struct{ media []Media }

// permits is the library's first check.
func (r *relays) permits(_ net.Addr, peer net.IP) bool {
	a, ok := netip.AddrFromSlice(peer)
	if !ok {
		return false
	}
	for _, m := range r.media {
		if m.Told.Addr().Unmap() == a.Unmap() {
			return true
		}
	}
	return false
}

// Validate implements turn.RelayAddressGenerator.
func (r *relays) Validate() error { return nil }

// AllocatePacketConn binds a socket beside the media port and confines it.
func (r *relays) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	v6 := c.Network == "udp6"
	for _, m := range r.media {
		bound := m.Bound.Addr().Unmap()
		if bound.Is6() != v6 {
			continue
		}
		conn, err := net.ListenUDP(c.Network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(bound, 0)))
		if err != nil {
			return nil, nil, err
		}
		return &confined{UDPConn: conn, media: r.media}, conn.LocalAddr(), nil
	}
	return nil, nil, ErrNoMedia
}

// AllocateListener and AllocateConn would relay TCP (RFC 6062).
func (r *relays) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCPRelay
}

// AllocateConn refuses: see AllocateListener.
func (r *relays) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCPRelay }

// confined is a socket that speaks with the media port only. Other packets are dropped as if a firewall stood there.
type confined struct {
	*net.UDPConn
	media []Media
}

// WriteTo sends to a media address as the client knows it.
func (c *confined) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return len(b), nil
	}
	a := unmap(u.AddrPort())
	for _, m := range c.media {
		if unmap(m.Told) == a {
			return c.UDPConn.WriteToUDPAddrPort(b, m.Bound)
		}
	}
	return len(b), nil
}

// ReadFrom gives what the media port sent, from the address the client knows.
func (c *confined) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.UDPConn.ReadFromUDPAddrPort(b)
		if err != nil {
			return 0, nil, err
		}
		a := unmap(from)
		for _, m := range c.media {
			if unmap(m.Bound) == a {
				return n, net.UDPAddrFromAddrPort(unmap(m.Told)), nil
			}
		}
	}
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
