package forward

import (
	"bytes"
	"testing"
	"time"
)

func TestHistory(t *testing.T) {
	h := NewHistory(100) // 128
	payload := []byte("sealed")
	put := func(c uint64) Verdict {
		return h.Put(time.Time{}, c, &Packet{Sequence: uint16(c), Payload: payload, Descriptor: []byte{1, 2, 3}})
	}
	for _, s := range []struct {
		counter uint64
		want    Verdict
	}{
		{65536, Accepted}, {65536, Duplicate}, {65540, Accepted}, {65538, Recovered}, {65538, Duplicate},
		{65535, Recovered}, {65540 + 127, Accepted}, {65540, Duplicate}, {65539, TooOld}, {65541, Recovered}, {65536 + 128, Recovered},
	} {
		if v := put(s.counter); v != s.want {
			t.Fatalf("%d: %v, want %v", s.counter, v, s.want)
		}
	}
	payload[0] = 'X' // the ring has its own copy
	p := h.Get(65541)
	if p == nil || !bytes.Equal(p.Payload, []byte("sealed")) || !bytes.Equal(p.Descriptor, []byte{1, 2, 3}) {
		t.Fatalf("%+v", p)
	}
	if h.Get(65536) != nil || h.Get(0) != nil || h.Get(65542) != nil {
		t.Fatal("kept what it must not have")
	}
}

func TestHistoryDoesNotAllocateWhenFull(t *testing.T) {
	h := NewHistory(64)
	p := &Packet{Payload: make([]byte, 1200), Descriptor: make([]byte, 52)}
	c := uint64(firstCounter)
	for range 64 {
		h.Put(time.Time{}, c, p)
		c++
	}
	if n := testing.AllocsPerRun(1000, func() { h.Put(time.Time{}, c, p); c++ }); n != 0 {
		t.Fatalf("%v allocations per packet", n)
	}
}

// A slow source has as many buffers as packets of the time in which somebody may ask for them; numbers are told for longer.
func TestHistoryForgetsByTime(t *testing.T) {
	h := NewHistory(1024)
	now, c := time.Unix(1000, 0), uint64(firstCounter)
	p := &Packet{Payload: []byte("sealed")}
	for range 900 {
		h.Put(now, c, p)
		c++
		now = now.Add(historyTime / 100)
	}
	buffers := len(h.spare)
	for i := range h.slots {
		if h.slots[i].data != nil {
			buffers++
		}
	}
	if buffers > 103 {
		t.Errorf("%d buffers for 100 packets", buffers)
	}
	if h.Get(c-1) == nil || h.Get(c-100) == nil {
		t.Error("a packet of the last moments is not kept")
	}
	if h.Get(c-103) != nil || h.Check(c-103) != Duplicate {
		t.Error("an old one is kept, or its number is forgotten")
	}
	if got := h.Get(c - 50); got == nil || string(got.Payload) != "sealed" {
		t.Errorf("%+v", got)
	}
	if v := h.Put(now, c+5000, p); v != Accepted || h.Get(c+5000) == nil {
		t.Error("after a jump", v)
	}
}
