package native

import (
	"context"
	"time"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/mlsframe"
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

// attestations compares what the others believe with what we do. Two beliefs about one epoch are a fork.
type attestations struct {
	own   belief
	heard map[string]belief // by join
}

func (a *attestations) enter(own belief) { a.own = own }

func (a *attestations) hear(join string, b belief) {
	if a.heard == nil {
		a.heard = map[string]belief{}
	}
	if old, ok := a.heard[join]; ok && old.group == b.group && old.epoch > b.epoch {
		return
	}
	a.heard[join] = b
}

// count says how many agree with us about this epoch and how many contradict.
func (a *attestations) count(present func(join string) bool) (agree, differ int) {
	for join, b := range a.heard {
		switch {
		case !present(join) || !b.sameEpoch(a.own):
		case b == a.own:
			agree++
		default:
			differ++
		}
	}
	return agree, differ
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
		agree, differ := p.attests.count(func(join string) bool {
			m, ok := st.Member([]byte(join))
			return ok && m.State == "live"
		})
		p.note(func(f *Facts) { f.Attested, f.Differing = agree+1, differ })
		if differ > 0 { // a fork: stop sending (keys.md, observation table)
			p.seal.stop()
		}
	}
}
