package forward

import (
	"encoding/binary"
	"testing"
	"time"
)

// FuzzLayers loses, delays, repeats and sends again what a layered source sends, while the wish changes. No number goes out twice
// (viewer fails then), every number that went out can be had again with the bytes and marker it had, every hole is a packet that
// never came, and no descriptor makes a panic.
func FuzzLayers(f *testing.F) {
	f.Add(uint64(1), []byte{0, 0, 0, 0, 0x41, 0, 0, 0x82, 0, 0, 0xc3, 0x21, 0, 0, 0, 0x12})
	f.Add(uint64(2), []byte{0x41, 0x41, 0x41, 0x41, 0xff, 0, 0, 0, 0, 0, 0x21, 0x21, 0, 0, 0x61, 0})
	f.Add(uint64(3), []byte{0, 0xe1, 0, 0xe0, 0, 0x21, 0, 0, 0xc1, 0, 0, 0x83, 0, 0, 0x10, 0x20, 0x30, 0x40, 0, 0, 0})
	f.Fuzz(func(t *testing.T, seed uint64, ops []byte) {
		if len(ops) > 300 {
			return
		}
		templates := building
		if seed%2 == 1 {
			templates = apart
		}
		c, u, v, d, _ := svc(t, templates, seed)
		first, now := uint16(seed), t0
		came, made := map[uint16]bool{}, 0 // incoming numbers
		var late []Packet
		write := func(p Packet) {
			came[p.Sequence] = true
			u.Write(now, &p)
		}
		for i, op := range ops {
			now = now.Add(66 * time.Millisecond)
			packets := c.picture(i == 0 || op&0x0f == 1)
			made += len(packets)
			for k, p := range packets {
				switch {
				case op&0x40 != 0 && k == int(op>>1&7)%len(packets):
					late = append(late, p)
				case op&0x20 != 0 && k == int(op>>2&7)%len(packets):
					// lost for good
				case op == 0xff && k == 0:
					p.Descriptor = ops[:min(len(ops), 200)] // hostile
					write(p)
				default:
					write(p)
				}
			}
			if op&0x80 != 0 {
				d.SetLayers(now, layer(op&3, op>>2&3))
			}
			switch op {
			case 0xe0:
				d.SetPaused(now, true)
			case 0xe1:
				d.SetPaused(now, false)
			case 0x10:
				u.SetRefused(true)
			case 0x20:
				u.SetRefused(false)
			}
			if len(late) > 2 || i == len(ops)-1 {
				for _, p := range late {
					write(p)
					if op&1 == 0 {
						p.Payload = append(binary.BigEndian.AppendUint16(nil, p.Sequence), p.Payload...)
						u.WriteRTX(now, &p)
					}
				}
				late = nil
			}
		}
		if len(v.got) == 0 {
			return
		}
		sent := map[uint16]Packet{}
		var high uint16
		for _, p := range v.got {
			sent[p.Sequence] = p
			if int16(p.Sequence-first-high) > 0 {
				high = p.Sequence - first
			}
		}
		// A hole is a packet that never came: there can be no more holes than those.
		holes := int(high) + 1 - len(sent)
		missing := made - len(came)
		if held := d.Counters().Get(Paused) + u.Counters().Get(Refused); held > 0 { // kept back on purpose, or late from before that
			missing += int(held + d.Counters().Get(BeforeStart))
		}
		if holes > missing {
			t.Fatalf("%d holes, %d packets missing", holes, missing)
		}
		for seq, p := range sent {
			if len(v.got) > 700 {
				break // older than the history
			}
			v.again = nil
			d.budget.Earn(10 * MaxPayload)
			d.HandleNACK(now, []uint16{seq}, 0)
			if len(v.again) != 1 {
				continue // paused, or from before
			}
			a := v.again[0]
			if a.Marker != p.Marker || string(a.Payload[2:]) != string(p.Payload) || binary.BigEndian.Uint16(a.Payload) != seq {
				t.Fatalf("%d sent again as another: %+v, %+v", seq, a, p)
			}
		}
	})
}
