package limit

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestNetworks(t *testing.T) {
	for in, want := range map[string]string{
		"2001:db8:1:2:3::4":   "[2001:db8:1:2::/64 2001:db8:1::/48 2001:db8::/32]",
		"2001:db8:1:2:ffff::": "[2001:db8:1:2::/64 2001:db8:1::/48 2001:db8::/32]",
		"192.0.2.7":           "[192.0.2.7/32 192.0.2.0/24 192.0.0.0/16]",
		"::ffff:192.0.2.7":    "[192.0.2.7/32 192.0.2.0/24 192.0.0.0/16]",
		"fe80::1%eth0":        "[fe80::/64 fe80::/48 fe80::/32]",
		"::1":                 "[::1 ::1 ::1]",
		"127.0.0.1":           "[127.0.0.1 127.0.0.1 127.0.0.1]",
	} {
		if got := fmt.Sprint(Networks(netip.MustParseAddr(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	Networks(netip.Addr{}) // no address is no reason to panic
}

func TestWindow(t *testing.T) {
	w, now := NewWindow(2, time.Minute), time.Unix(1e9, 0)
	if !w.Allow("a", now) || !w.Allow("a", now) || w.Allow("a", now) || !w.Allow("b", now) {
		t.Error("bounds")
	}
	if !w.Allow("a", now.Add(time.Minute+1)) {
		t.Error("never forgets")
	}
	if !w.Allow("a", now.Add(-time.Hour)) {
		t.Error("a clock that was set back locks everybody out")
	}
	for i := range maxKeys + 10 {
		w.Allow(fmt.Sprint(i), now)
	}
	if len(w.seen) > maxKeys {
		t.Error("grows without bound")
	}
}

// An attacker with a /48 has 65,536 networks of which each could enrol ten times in ten minutes.
func TestTiers(t *testing.T) {
	w, now := NewTiers(10, time.Minute), time.Unix(1e9, 0)
	passed := 0
	for i := range 1000 {
		if w.Allow(netip.MustParseAddr(fmt.Sprintf("2001:db8:1:%x::1", i)), now) {
			passed++
		}
	}
	if passed != 20 {
		t.Errorf("%d of one /48", passed)
	}
	for i := range 1000 {
		if w.Allow(netip.MustParseAddr(fmt.Sprintf("2001:db8:%x::1", 0x100+i)), now) {
			passed++
		}
	}
	if passed > 40 {
		t.Errorf("%d of one /32", passed)
	}
	if !w.Allow(netip.MustParseAddr("2001:dead::1"), now) || !w.Allow(netip.MustParseAddr("192.0.2.1"), now) {
		t.Error("others are locked out")
	}
}

// Whoever opens and keeps open, under as many addresses of one network as there are, comes to an end; and what is given back is forgotten.
func TestOpen(t *testing.T) {
	a := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	o := NewOpen(2, 7)
	one, same, site := a("2001:db8:1:1::1"), a("2001:db8:1:1::ffff"), []netip.Addr{a("2001:db8:1:2::1"), a("2001:db8:1:3::1"), a("2001:db8:1:4::1")}
	if !o.Take(one) || !o.Take(same) || o.Take(one) {
		t.Error("of one /64")
	}
	if !o.Take(site[0]) || !o.Take(site[1]) || o.Take(site[2]) {
		t.Error("of one /48")
	}
	home := a("127.0.0.1")
	if !o.Take(home) || !o.Take(home) || o.Take(home) || !o.Take(a("192.0.2.1")) || o.Take(a("198.51.100.1")) {
		t.Error("of all")
	}
	for _, x := range []netip.Addr{one, same, site[0], site[1], home, home, a("192.0.2.1")} {
		o.Give(x)
	}
	if o.all != 0 || len(o.counts) != 0 {
		t.Error("left over", o)
	}
}
