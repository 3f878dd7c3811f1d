//go:build linux

package bare

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"parley.link/parley/bench/media/light"
)

// Every way puts the same packets on the wire: 1,128 bytes each, the receiver's own SSRC, a run of six numbers.
func TestWays(t *testing.T) {
	for _, w := range Ways {
		if w.Name == "protect" || w.Coalesce {
			continue
		}
		t.Run(w.Name, func(t *testing.T) {
			var to []netip.AddrPort
			var sockets []*net.UDPConn
			for range 3 {
				s, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				sockets, to = append(sockets, s), append(to, s.LocalAddr().(*net.UDPAddr).AddrPort())
			}
			r, err := send(w.Name, to, time.Millisecond)
			if err != nil || r.Rate <= 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			b := make([]byte, 2048)
			for i, s := range sockets {
				_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
				for k := range PerRun {
					n, err := s.Read(b)
					if err != nil {
						t.Fatal(err)
					}
					seq, ssrc := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[8:])
					if n != 12+light.VideoPayload+16 || int(seq) != k || int(ssrc) != i+1 {
						t.Fatalf("socket %d, packet %d: %d bytes, number %d, SSRC %d", i, k, n, seq, ssrc)
					}
				}
			}
		})
	}
}
