package web

import (
	"net/netip"
	"testing"
)

// Whoever opens sockets and keeps them, under as many addresses of one network as there are, comes to an end.
func TestOpenSockets(t *testing.T) {
	a, b := network(netip.MustParseAddr("2001:db8::1")), network(netip.MustParseAddr("2001:db8::ffff"))
	if a != b || a == network(netip.MustParseAddr("2001:db8:0:1::1")) || network(netip.MustParseAddr("192.0.2.1")) == network(netip.MustParseAddr("192.0.2.2")) {
		t.Fatal("networks", a, b)
	}
	o := newOpen(2, 3)
	if !o.take("x") || !o.take("x") || o.take("x") || !o.take("y") || o.take("z") {
		t.Fatal("bounds")
	}
	o.give("x")
	if !o.take("z") || len(o.counts) != 3 {
		t.Fatal("given back", o.counts)
	}
	for _, k := range []string{"x", "y", "z"} {
		o.give(k)
	}
	if o.all != 0 || len(o.counts) != 0 {
		t.Fatal("left over", o)
	}
}
