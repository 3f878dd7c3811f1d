package rtc

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"

	"github.com/pion/webrtc/v4"
)

// Errors a caller may tell apart.
var (
	ErrAddress = errors.New("rtc: cannot listen")
	ErrTooMuch = errors.New("rtc: description asks for too much")
	ErrBadSDP  = errors.New("rtc: description cannot be used")
	ErrStale   = errors.New("rtc: answer to an offer that is not open")
	ErrClosed  = errors.New("rtc: closed")
)

// Config says where media comes in.
type Config struct {
	UDP string // host:port; an empty or unspecified host means every address of this machine; empty: no UDP
	TCP string // host:port of the fallback; empty: no TCP

	Announce []netip.Addr   // told to clients instead of the local addresses (behind a one-to-one NAT)
	Allow    []netip.Prefix // only local addresses in one of these are told; empty: all
	Loopback bool           // tell loopback addresses too (demonstration, tests)

	Log *slog.Logger // nil: none
}

// certificateLife is how long a DTLS certificate is used for new connections. Pion makes them valid for a month.
const certificateLifeDays = 7

func (c Config) allows(ip netip.Addr) bool {
	ip = ip.Unmap()
	if ip.IsLoopback() && !c.Loopback {
		return false
	}
	if len(c.Allow) == 0 {
		return true
	}
	for _, p := range c.Allow {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

func (c Config) allowsIP(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	return ok && c.allows(a)
}

// split reads host:port into an address (invalid when unspecified) and a port.
func split(setting, hostPort string) (netip.Addr, int, error) {
	host, p, err := net.SplitHostPort(hostPort)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("%w: %s %q is not host:port, as in 0.0.0.0:7443", ErrAddress, setting, hostPort)
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("%w: %s %q has no port between 0 and 65535", ErrAddress, setting, hostPort)
	}
	if host == "" {
		return netip.Addr{}, int(port), nil
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("%w: %s %q has no IP address before the port", ErrAddress, setting, hostPort)
	}
	if addr.IsUnspecified() {
		return netip.Addr{}, int(port), nil
	}
	return addr, int(port), nil
}

// announce makes clients see only the configured addresses.
func announce(s *webrtc.SettingEngine, addrs []netip.Addr) error {
	if len(addrs) == 0 {
		return nil
	}
	external := make([]string, len(addrs))
	for i, a := range addrs {
		external[i] = a.String()
	}
	return s.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{
		External:        external,
		AsCandidateType: webrtc.ICECandidateTypeHost,
		Mode:            webrtc.ICEAddressRewriteReplace,
	})
}
