package native

import (
	"bytes"
	"context"
	"time"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/mlsframe"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/signalpb"
)

// attestEvery repeats attestations, so that who reconnected hears them too.
const attestEvery = 8 * time.Second

// belief is what a member holds an epoch to be.
type belief struct {
	group      string
	epoch      uint64
	tree       string
	transcript string
}

func (b belief) sameEpoch(o belief) bool { return b.group == o.group && b.epoch == o.epoch }

// missingAfter is how long members have to attest an epoch (keys.md).
const missingAfter = 10 * time.Second

// attestations compares what the others believe with what we do. Two beliefs about one epoch are a fork, or a lie (judge).
type attestations struct {
	own    belief
	since  time.Time         // when the members' time to speak began; zero: with the next weighing
	heard  map[string]belief // by join
	proven map[string]bool   // joins that signed two things of one epoch: the lie needs no other witness
}

func (a *attestations) enter(own belief) { a.own, a.since = own, time.Time{} }

func (a *attestations) hear(join string, b belief) {
	if a.heard == nil {
		a.heard, a.proven = map[string]belief{}, map[string]bool{}
	}
	old, ok := a.heard[join]
	switch {
	case ok && old.sameEpoch(b):
		a.proven[join] = a.proven[join] || old != b
	case ok && old.group == b.group && old.epoch > b.epoch:
	default:
		a.heard[join] = b
	}
}

func (a *attestations) of(join string) says {
	b, ok := a.heard[join]
	switch {
	case !ok || !b.sameEpoch(a.own):
		return awaited
	case b == a.own:
		return agrees
	}
	return differs
}

// weigh judges what all members have said so far, and silences or cuts by it.
func (p *Participant) weigh(now time.Time) {
	if p.group == nil {
		p.doubt = false
		return
	}
	if p.attests.since.IsZero() {
		p.attests.since = now
	}
	st := p.log.State
	devices := map[string]string{}
	var voices []voice
	for _, j := range st.Group().Leaves {
		m, ok := st.Member(j)
		if !ok || m.State != session.Live {
			continue
		}
		v := voice{join: string(m.Join), side: string(m.Side), says: p.attests.of(string(m.Join))}
		if devices[v.join] = string(m.Device); bytes.Equal(m.Join, p.join) {
			v.says = agrees
		} else if p.attests.proven[v.join] {
			p.liars[devices[v.join]] = true
		}
		v.named = p.liars[devices[v.join]]
		voices = append(voices, v)
	}
	what, joins := judge(voices, now.Sub(p.attests.since) >= missingAfter)
	for _, j := range joins {
		p.liars[devices[j]] = true
	}
	p.forked = p.forked || what == forking
	p.doubt = what == open
	if p.named != len(p.liars) {
		p.named = len(p.liars)
		p.announce()
	}
	p.count(voices)
}

// count says how many agree with us about this epoch and how many contradict.
func (p *Participant) count(voices []voice) {
	agree, differ := 0, 0
	for _, v := range voices {
		switch {
		case v.named || v.says == differs:
			differ++
		case v.says == agrees:
			agree++
		}
	}
	p.note(func(f *Facts) { f.Attested, f.Differing, f.Forked = agree, differ, p.forked })
}

type readyNote struct {
	Epoch uint64 `cbor:"epoch"`
	Group []byte `cbor:"group"`
}

// attest tells the others that we hold the epoch's key and what we believe the group is.
func (p *Participant) attest(ctx context.Context) {
	scope := p.log.State.Scope()
	c, err := p.group.Context()
	if err != nil {
		return
	}
	sig, err := p.group.Attest(scope[:])
	if err != nil {
		return
	}
	body := mlsframe.Attested{Version: 1, Scope: scope[:], Group: c.GroupID, Epoch: c.Epoch, Transcript: c.Transcript, Tree: c.Tree}.Bytes()
	p.relay(ctx, "ready", canon.Encode(readyNote{Epoch: c.Epoch, Group: c.GroupID}))
	p.relay(ctx, "attest", canon.Encode(ident.Signed{Body: body, Ed25519: sig}))
}

func (p *Participant) relay(ctx context.Context, kind string, payload []byte) {
	scope := p.log.State.Scope()
	_ = p.desk.Send(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Relay{Relay: &signalpb.Relay{Scope: scope[:], Kind: kind, Payload: payload}}})
}

// heard gives a member's word that it holds an epoch's key to the switch, if it speaks of our group.
func (p *Participant) heard(device []byte, n readyNote) {
	if p.group == nil || string(n.Group) != string(p.groupID) {
		return
	}
	m, ok := p.log.State.MemberOfDevice(device)
	if !ok {
		return
	}
	for i, j := range p.log.State.Group().Leaves {
		if string(j) == string(m.Join) {
			p.turn.ready(uint32(i), n.Epoch)
		}
	}
}

// relayed takes a note of another member. Its sender is whom the nodes say; an attestation is believed for its signature only.
func (p *Participant) relayed(r *signalpb.Relay) {
	if p.log == nil || p.group == nil && r.Kind != "ready" {
		return
	}
	st := p.log.State
	switch r.Kind {
	case "ready":
		var n readyNote
		if _, ok := st.MemberOfDevice(r.Device); !ok || canon.Decode(r.Payload, &n) != nil {
			return
		}
		// Others are ready before the Welcome has been worked through here; forgotten, it would cost a newcomer its whole second.
		p.early[string(r.Device)] = n
		p.heard(r.Device, n)
	case "attest":
		var s ident.Signed
		var b mlsframe.Attested
		if canon.Decode(r.Payload, &s) != nil || canon.Decode(s.Body, &b) != nil {
			return
		}
		m, ok := st.MemberOfDevice(r.Device)
		scope := st.Scope()
		if !ok || string(b.Scope) != string(scope[:]) || mlsframe.VerifyAttestation(m.Key, b, s.Ed25519) != nil {
			return
		}
		p.attests.hear(string(m.Join), belief{string(b.Group), b.Epoch, string(b.Tree), string(b.Transcript)})
	}
}
