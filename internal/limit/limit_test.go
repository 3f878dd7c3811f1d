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
