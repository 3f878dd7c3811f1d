//go:build linux

// Package bare is the reference: the least that a forwarder in this language must do. A loop protects packets (pion/srtp, AEAD_AES_128_GCM, a
// context per receiver) and sends them to a hundred sockets of another process, a run of six to each in turn, as fast as a core can. No
// reading, no rewriting, no state. The ways of sending differ.
package bare

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"

	"parley.link/parley/bench/media/light"
)

// Receivers and PerRun are the shape of the load.
const (
	Receivers = 100
	PerRun    = light.PerFrame
)

// A Way of sending.
type Way struct {
	Name, Title string
	Coalesce    bool // the receiving sockets take a run as one message (UDP_GRO), as a network card that segments would
}

// Ways in the order of the table.
var Ways = []Way{
	{"protect", "protection alone", false},
	{"write", "net.UDPConn, one write per packet", false},
	{"sendmmsg", "sendmmsg, a frame to all receivers", false},
	{"gso", "one GSO message per run", false},
	{"gsommsg", "sendmmsg of GSO messages", false},
	{"gso", "one GSO message per run, receivers with GRO", true},
	{"gsommsg", "sendmmsg of GSO messages, receivers with GRO", true},
}

// Result of a way.
type Result struct {
	CPU  float64 // seconds per million packets
	Rate float64 // packets a second
}

// Child is the sending process: way, seconds, addresses separated by commas. It prints a Result.
func Child(args []string) error {
	if len(args) != 3 {
		return errors.New("-bare wants a way, seconds and addresses")
	}
	var seconds float64
	if _, err := fmt.Sscan(args[1], &seconds); err != nil {
		return fmt.Errorf("seconds: %w", err)
	}
	var to []netip.AddrPort
	for a := range strings.SplitSeq(args[2], ",") {
		p, err := netip.ParseAddrPort(a)
		if err != nil {
			return fmt.Errorf("address: %w", err)
		}
		to = append(to, p)
	}
	r, err := send(args[0], to, time.Duration(seconds*float64(time.Second)))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func send(way string, to []netip.AddrPort, long time.Duration) (r Result, err error) {
	out, err := newSender(way, to)
	if err != nil {
		return r, err
	}
	contexts := make([]*srtp.Context, len(to))
	for i := range contexts {
		key, salt := make([]byte, 16), make([]byte, 12)
		key[0], key[1] = byte(i), byte(i>>8)
		if contexts[i], err = srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm); err != nil {
			return r, err
		}
	}
	plain := make([]byte, 12+light.VideoPayload)
	sealed := make([][]byte, PerRun)
	for i := range sealed {
		sealed[i] = make([]byte, 0, 2048)
	}
	h := rtp.Header{Version: 2, PayloadType: 96}
	began, used := time.Now(), processor()
	n := 0
	for seq := uint16(0); time.Since(began) < long; seq += PerRun {
		for i := range to {
			h.SSRC = uint32(i + 1)
			room := out.room(i)
			for k := range PerRun {
				h.SequenceNumber = seq + uint16(k)
				if _, err := h.MarshalTo(plain); err != nil {
					return r, err
				}
				if sealed[k], err = contexts[i].EncryptRTP(room[k][:0], plain, &h); err != nil {
					return r, err
				}
			}
			if err := out.run(i, sealed); err != nil {
				return r, err
			}
			n += PerRun
		}
		if err := out.flush(); err != nil {
			return r, err
		}
	}
	took := time.Since(began).Seconds()
	return Result{CPU: (processor() - used) / float64(n) * 1e6, Rate: float64(n) / took}, nil
}

func processor() float64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// sender is one way. A run's packets are sealed into room(i), which stays untouched until flush returned.
type sender interface {
	room(receiver int) [][]byte
	run(receiver int, packets [][]byte) error
	flush() error
}

func newSender(way string, to []netip.AddrPort) (sender, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: to[0].Addr().AsSlice()})
	if err != nil {
		return nil, err
	}
	_ = conn.SetWriteBuffer(4 << 20)
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := 0
	if err := raw.Control(func(f uintptr) { fd = int(f) }); err != nil {
		return nil, err
	}
	switch way {
	case "protect":
		return &nothing{one: buffers(1)[0]}, nil
	case "write":
		return &writes{nothing: nothing{one: buffers(1)[0]}, conn: conn, to: to}, nil
	case "sendmmsg":
		return newMessages(fd, conn, to, false), nil
	case "gso":
		m := newMessages(fd, conn, to, true)
		m.each = true
		return m, nil
	case "gsommsg":
		return newMessages(fd, conn, to, true), nil
	}
	return nil, fmt.Errorf("no way %q", way)
}
