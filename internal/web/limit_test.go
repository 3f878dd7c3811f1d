package web

import "testing"

// Whoever opens sockets and keeps them, under as many addresses of one network as there are, comes to an end.
func TestOpenSockets(t *testing.T) {
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
