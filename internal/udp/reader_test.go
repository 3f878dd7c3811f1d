package udp

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What a Writer sent comes in its order, whole and from its sender, however many came in one call.
func TestRunsComeApart(t *testing.T) {
	for _, c := range []struct{ network, from, to string }{{"udp4", "127.0.0.1:0", "127.0.0.1:0"}, {"udp6", "[::1]:0", "[::1]:0"}} {
		t.Run(c.network, func(t *testing.T) {
			out, in := listen(t, c.network, c.from), listen(t, c.network, c.to)
			w, r := NewWriter(out, time.Millisecond), NewReader(in)
			var sent [][]byte
			for i, size := range []int{1100, 1100, 1100, 1100, 1100, 700, 1200, 60, 1, 1500, 1500, 1499, 40} {
				b := bytes.Repeat([]byte{byte(i + 1)}, size)
				sent = append(sent, b)
				if err := w.Write(b, in.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
					t.Fatal(err)
				}
			}
			stop := run(t, w)
			defer stop()
			_ = in.SetReadDeadline(time.Now().Add(patience))
			from := out.LocalAddr().(*net.UDPAddr).AddrPort()
			got, calls := 0, 0
			for ; got < len(sent); calls++ {
				err := r.Read(func(b []byte, a netip.AddrPort) {
					if got == len(sent) || !bytes.Equal(b, sent[got]) || a != from {
						t.Errorf("datagram %d: %d bytes from %v", got, len(b), a)
					}
					got++
				})
				if err != nil || t.Failed() {
					t.Fatal(got, err)
				}
			}
			if r.runs != nil && calls == len(sent) { // a kernel before 5.0 gives no runs, and everything else holds
				t.Errorf("%d calls for %d datagrams", calls, got)
			}
		})
	}
}

type single struct {
	b   []byte
	err error
}

func (s *single) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	s.b = append(s.b, b...)
	return len(b), s.err
}

func (s *single) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	return copy(b, s.b), netip.AddrPort{}, s.err
}

// Another socket than the kernel's is written and read one by one.
func TestSimulatedSocket(t *testing.T) {
	s := &single{}
	w := NewWriter(s, 0)
	for i := range 3 {
		d := w.Get()
		d.N, d.Buf[0] = 1, byte(i+1)
		if err := w.Send(d); err != nil {
			t.Fatal(err)
		}
	}
	w.flush()
	if !bytes.Equal(s.b, []byte{1, 2, 3}) || w.Counters().Sent.Load() != 3 || w.Counters().Calls.Load() != 3 {
		t.Error(s.b, w.Counters().Sent.Load())
	}
	if err := NewReader(s).Read(func(b []byte, _ netip.AddrPort) { s.b = append([]byte{}, b[1:]...) }); err != nil || len(s.b) != 2 {
		t.Error(err, s.b)
	}
	s.err = errors.New("gone")
	_ = w.Write([]byte{1}, netip.AddrPort{})
	w.flush()
	if w.Counters().SendFailed.Load() != 1 || NewReader(s).Read(nil) != s.err {
		t.Error("an error was lost")
	}
}

// Whatever the kernel's control messages are, reading them ends and never gives a size that is not there.
func FuzzSegmentSize(f *testing.F) {
	b := make([]byte, unix.CmsgSpace(2))
	putSegmentSize(b, 1100)
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if segmentSize(b) < 0 {
			t.Error("negative")
		}
	})
}
