package node

import (
	"context"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"parley.link/parley/internal/config"
	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/link"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/store"
)

// Health is the node as its operator sees it. It names sides and sessions by the beginning of their ids, and nobody.
type Health struct {
	Version   string          `json:"version"`
	Side      string          `json:"side"`
	Started   string          `json:"started"`
	CertUntil string          `json:"node_certificate_until"`
	Links     []LinkLine      `json:"links"`
	Sessions  []SessionHealth `json:"sessions"`
	Devices   int             `json:"devices"`
	Live      int             `json:"live_microphones"`
	Waiting   int             `json:"enrolments_waiting"`
	Relays    int             `json:"turn_relays"`
}

// SessionHealth is one session.
type SessionHealth struct {
	Scope    string `json:"scope"`
	Phase    string `json:"phase"`
	Entries  uint64 `json:"entries"`
	Members  int    `json:"members"`
	Tracks   int    `json:"tracks"`
	Epoch    uint64 `json:"epoch"`
	Term     uint64 `json:"term"`
	Evidence int    `json:"evidence"`
	Broken   bool   `json:"broken,omitempty"`
}

func (n *Node) health(ctx context.Context) any { return n.Health(ctx) }

// Health says how the node stands.
func (n *Node) Health(ctx context.Context) Health {
	c := n.side()
	h := Health{
		Version: config.Version, Side: short(c.ID), Started: n.started.UTC().Format(time.RFC3339),
		CertUntil: stamp(c.NodeCert.Until), Links: []LinkLine{}, Sessions: []SessionHealth{},
	}
	l := &local{cards: n.cards, running: true}
	for _, s := range n.cards.Status(ctx) {
		h.Links = append(h.Links, l.lineOf(s))
	}
	for _, s := range n.scopes.list() {
		one := SessionHealth{Scope: short(s.id)}
		s.read(func(l *ledger.Ledger) {
			st := l.State()
			one.Phase, one.Members, one.Tracks, one.Epoch, one.Evidence = st.Phase(), len(st.Present()), len(st.Tracks()), st.Group().Epoch, len(l.Evidence())
			one.Term, one.Entries, _ = st.Head()
			one.Broken = s.broken != nil
		})
		h.Sessions = append(h.Sessions, one)
	}
	for _, s := range n.hub.All(func(seat.Device) bool { return true }) {
		h.Devices++
		if r := s.Report(); r.GetMicrophoneLive() {
			h.Live++
		}
	}
	if w, err := n.store.Enrolments(ctx, store.EnrolmentWaiting); err == nil {
		h.Waiting = len(w)
	}
	if n.turn != nil {
		h.Relays = n.turn.Allocations()
	}
	return h
}

// metrics writes the Prometheus text format. Labels are kinds and verdicts, never people or tracks.
func (n *Node) metrics(ctx context.Context, w io.Writer) {
	h := n.Health(ctx)
	gauge := func(name, help string, v float64) {
		fmt.Fprintf(w, "# HELP parley_%[1]s %[2]s\n# TYPE parley_%[1]s gauge\nparley_%[1]s %[3]g\n", name, help, v)
	}
	gauge("devices", "Devices connected.", float64(h.Devices))
	gauge("live_microphones", "Devices that say their microphone is live.", float64(h.Live))
	gauge("enrolments_waiting", "Enrolments that wait for an officer.", float64(h.Waiting))
	gauge("turn_relays", "Relays open.", float64(h.Relays))
	up := 0
	for _, l := range h.Links {
		if l.State == "up" {
			up++
		}
	}
	gauge("links", "Links configured.", float64(len(h.Links)))
	gauge("links_up", "Links up.", float64(up))
	phases := map[string]int{session.PhaseNone: 0, session.PhasePlanned: 0, session.PhaseAgreed: 0, session.PhaseSuspended: 0, session.PhaseClosed: 0}
	for _, s := range h.Sessions {
		phases[s.Phase]++
	}
	fmt.Fprintf(w, "# HELP parley_sessions Sessions by phase.\n# TYPE parley_sessions gauge\n")
	for _, p := range sorted(phases) {
		fmt.Fprintf(w, "parley_sessions{phase=%q} %d\n", p, phases[p])
	}
	fmt.Fprintf(w, "# HELP parley_link_datagrams_total Datagrams of the link port by verdict.\n# TYPE parley_link_datagrams_total counter\n")
	for _, v := range link.Verdicts() {
		fmt.Fprintf(w, "parley_link_datagrams_total{verdict=%q} %d\n", v.String(), n.link.Counters().Get(v))
	}
	out := n.media.engine.Egress()
	fmt.Fprintf(w, "# HELP parley_media_datagrams_total Sealed media to own people over UDP, by what became of it.\n# TYPE parley_media_datagrams_total counter\n")
	for _, c := range []struct {
		verdict string
		n       uint64
	}{{"sent", out.Sent}, {"queue-full", out.QueueFull}, {"send-failed", out.SendFailed}} {
		fmt.Fprintf(w, "parley_media_datagrams_total{verdict=%q} %d\n", c.verdict, c.n)
	}
	in := n.media.counters()
	fmt.Fprintf(w, "# HELP parley_up_packets Packets of the tracks that come in now, by verdict.\n# TYPE parley_up_packets gauge\n")
	for _, v := range forward.Verdicts() {
		fmt.Fprintf(w, "parley_up_packets{verdict=%q} %d\n", v.String(), in[v])
	}
}

func sorted(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return strings.Compare(keys[i], keys[j]) < 0 })
	return keys
}

// counters add up the sources that come in now.
func (m *media) counters() map[forward.Verdict]uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[forward.Verdict]uint64{}
	add := func(u *forward.UpTrack) {
		for _, v := range forward.Verdicts() {
			out[v] += u.Counters().Get(v)
		}
	}
	for _, u := range m.ups {
		add(u)
	}
	for _, r := range m.remote {
		if r.up != nil {
			add(r.up)
		}
	}
	return out
}
