package limit

import (
	"net/netip"
	"time"
)

// Levels is how many networks an address is counted by, from the narrowest to the widest.
const Levels = 3

// bits of the prefixes. Whoever has one IPv6 address has a whole /64 (RFC 6177 §2), a site has a /48 and a provider's customer may have bought a
// /32; of IPv4 the address itself, its /24 and its /16.
var bits = [2][Levels]int{{32, 24, 16}, {64, 48, 32}}

// Networks are the networks of an address, from the narrowest to the widest. The loopback address is its own network at every level.
func Networks(a netip.Addr) [Levels]string {
	a = a.Unmap().WithZone("")
	var out [Levels]string
	family := 0
	if a.Is6() {
		family = 1
	}
	for i := range out {
		out[i] = a.String()
		if a.IsLoopback() || !a.IsValid() {
			continue
		}
		if p, err := a.Prefix(bits[family][i]); err == nil {
			out[i] = p.String()
		}
	}
	return out
}

// Network is the narrowest network of an address: what bounds of a household, a ministry or a hotel room count by.
func Network(a netip.Addr) string { return Networks(a)[0] }

// Scaled is the bound of a level where most is that of the narrowest: twice as much for each wider one.
func Scaled(most, level int) int { return most << level }

// Tiers is a Window for each level of networks: whoever moves from one address of theirs to the next is still counted.
type Tiers struct{ windows [Levels]*Window }

// NewTiers allows most events of the narrowest network in a span, and Scaled of the wider ones.
func NewTiers(most int, span time.Duration) *Tiers {
	t := &Tiers{}
	for i := range t.windows {
		t.windows[i] = NewWindow(Scaled(most, i), span)
	}
	return t
}

// Allow counts one more event of an address.
func (t *Tiers) Allow(a netip.Addr, now time.Time) bool {
	ok := true
	for i, n := range Networks(a) {
		ok = t.windows[i].Allow(n, now) && ok
	}
	return ok
}
