package native

import (
	"bytes"
	"context"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// afterLog acts on what the log now says: presence, tracks, wants.
func (p *Participant) afterLog(ctx context.Context, caughtUp bool) {
	st := p.log.State
	phase := st.Phase()
	_, next, hash := st.Head()
	_, joined := p.live()
	p.note(func(f *Facts) { f.Phase, f.Joined, f.LogNext, f.LogHash = phase, joined, next, hash })
	p.hush(time.Now())
	p.steps(joined, caughtUp)
	p.caught = p.caught || caughtUp
	p.announce()
	p.want(ctx)
	p.present(ctx)
}

// present joins, or joins anew, or publishes: whatever the log says is missing.
func (p *Participant) present(ctx context.Context) {
	me, joined := p.live()
	phase := p.log.State.Phase()
	switch {
	case p.busy > 0 || p.leaving || p.ended() != nil:
	case !p.caught:
		// A first join needs no log: keys come only from the log, once it is checked, and without keys nothing is sealed or opened.
		if p.join == nil && p.nextJoin.IsZero() && p.listed() == session.PhaseAgreed {
			p.nextJoin = time.Now().Add(500 * time.Millisecond)
			p.joinAnew(ctx)
		}
	case joined && bytes.Equal(me.Join, p.join):
		p.publish(ctx)
	case p.join != nil && !p.gone():
		// Sent and not yet ordered. A node that was killed meanwhile has forgotten it: the same bytes again, which are in the log once.
		if !p.joinSent {
			p.sendJoin(ctx)
		}
	case phase == session.PhaseAgreed || phase == session.PhaseSuspended:
		// Never joined; or a join of this device from before it lost its state; or the node took us for lost.
		if time.Now().After(p.nextJoin) {
			p.nextJoin = time.Now().Add(500 * time.Millisecond)
			p.joinAnew(ctx)
		}
	}
}

// listed is the phase in which our node says that the session is: its word, good for nothing but a try.
func (p *Participant) listed() string {
	scope := p.log.State.Scope()
	for _, s := range p.desk.Welcome.Sessions {
		if bytes.Equal(s.Scope, scope[:]) {
			return s.State
		}
	}
	return ""
}

// gone says whether the log has ended our join.
func (p *Participant) gone() bool {
	m, ok := p.log.State.Member(p.join)
	return ok && m.State != session.Live
}

// depart sends the leave of the present join.
func (p *Participant) depart(ctx context.Context) {
	if _, joined := p.live(); joined {
		p.submit(ctx, act.KindLeave, act.Leave{Join: p.join}, func(error) {})
	}
}

// ended is a reason not to come back: another device of this person took the place, or the accreditation was revoked. Fighting over
// the place would throw both devices out in turn.
func (p *Participant) ended() error {
	if p.log == nil || p.join == nil {
		return nil
	}
	m, ok := p.log.State.Member(p.join)
	switch {
	case ok && p.leaving && m.State == session.Left:
		return errLeft
	case ok && m.State == session.Replaced:
		if me, live := p.live(); live && p.mine[string(me.Join)] {
			return nil // by a join of our own that was given up, and ordered late after all
		}
		return problem.New(problem.ReplacedByOtherDevice)
	case ok && m.State == session.Revoked:
		return problem.New(problem.AccreditationRevoked)
	case p.log.State.Phase() == session.PhaseClosed:
		return problem.New(problem.SessionClosed)
	}
	return nil
}

// joinAnew brings a fresh KeyPackage; an older join of this person is replaced.
func (p *Participant) joinAnew(ctx context.Context) {
	if len(p.offered) > 0 {
		// A track id belongs to one join for ever: come back with new ones, which needs new peer connections.
		p.tracks, p.offered, p.join, p.member, p.again = p.ownTracks(), map[string]bool{}, nil, nil, true
		return
	}
	scope := p.log.State.Scope()
	p.dropGroup()
	leaf := canon.Encode(ident.Leaf{Version: ident.Version, Scope: scope[:], Side: p.acc.Side, Person: p.acc.Person, Device: p.cfg.Device.Public()})
	m, err := p.rt.NewMember(leaf, nil, time.Now())
	if err != nil {
		p.note(func(f *Facts) { f.Problem = err.Error() })
		return
	}
	cert := p.cfg.Device.SignBody(ident.ContextSession, ident.SessionCert{Version: ident.Version, Scope: scope[:], Side: p.acc.Side,
		Person: p.acc.Person, Device: p.cfg.Device.Public(), Key: m.SignatureKey})
	p.member = m
	p.note(func(f *Facts) { f.Steps.JoinSent = time.Now() })
	s, id := p.author.Act(scope[:], act.KindJoin, act.Join{Accreditation: p.cfg.Accreditation, SessionCert: canon.Encode(cert), KeyPackage: m.KeyPackage})
	p.join, p.joinAct = id[:], s
	p.mine[string(p.join)] = true
	p.sendJoin(ctx)
}
