package node

import (
	"fmt"
	"strings"
	"time"
)

// dump says what the media of both nodes look like, for a test that waits in vain.
func (w *world) dump() string {
	var b strings.Builder
	for _, p := range []*party{w.a, w.b} {
		m := p.node.media
		m.mu.Lock()
		fmt.Fprintf(&b, "\n%s: link up %v", p.name, up(p.node, w.a.id) || up(p.node, w.b.id))
		for s, v := range m.views {
			fmt.Fprintf(&b, "\n  view %x version %d", s[:4], v.version)
			for id, a := range v.tracks {
				fmt.Fprintf(&b, "\n    track %s of %x flows %v", id[:6], a.device[:4], a.flows)
			}
		}
		for k, u := range m.ups {
			fmt.Fprintf(&b, "\n  up %s of %x refused %v closed %v last %v subscribers %d", k.track[:6], k.device[:4], u.Refused(), u.Closed(), time.Since(u.LastPacket()).Round(time.Millisecond), u.Subscribers())
		}
		for k, r := range m.remote {
			fmt.Fprintf(&b, "\n  remote %s", k.track[:6])
			if r.up != nil {
				fmt.Fprintf(&b, " refused %v closed %v same %v last %v subscribers %d", r.up.Refused(), r.up.Closed(), r.up == r.stream.Track(), time.Since(r.up.LastPacket()).Round(time.Millisecond), r.up.Subscribers())
			}
		}
		for side, wants := range m.wants {
			for k, d := range wants {
				fmt.Fprintf(&b, "\n  wanted by %x: %s open %v", side[:4], k.track[:6], d != nil)
			}
		}
		for d, q := range m.people {
			fmt.Fprintf(&b, "\n  person %x wants %d gets %d: %v", d[:4], len(q.want), len(q.down), q.rtc.DownFlows(time.Now()))
		}
		m.mu.Unlock()
	}
	return b.String()
}
