package ledger

import (
	"bytes"
	"errors"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// pending is an act of this node's own people on its way into the log.
type pending struct {
	parsed
	since  int64 // when it began to wait with heartbeats flowing
	sent   bool
	sentAt int64
	named  bool // held back was named
	stood  bool // and suspended for
}

// Submit takes canonical act.Signed bytes from an own client. The same bytes may come again at any time: the answer is the
// same, and the act is in the log once.
func (l *Ledger) Submit(b []byte, now int64) []Effect {
	if l.turns.dead {
		return nil
	}
	p, err := parse(b)
	if err != nil {
		l.answer(p.id, asProblem(err))
		return l.end(now)
	}
	if err := l.submit(p, now); err != nil {
		l.answer(p.id, asProblem(err))
	}
	l.advance(now)
	return l.end(now)
}

func (l *Ledger) submit(p parsed, now int64) error {
	if i, ok := l.index[p.id]; ok {
		l.say(Answer{Act: p.id, Index: i, Ordered: true})
		return nil
	}
	if l.inOutbox(p.id) {
		l.say(Answer{Act: p.id})
		return nil
	}
	for _, q := range l.pending {
		if q.id == p.id {
			return nil // it will be answered once, when it is decided
		}
	}
	if Side(p.Side) != l.cfg.Own {
		return problem.New(problem.NotYours)
	}
	if p.Kind == act.KindTerm {
		return l.submitTerm(p, now)
	}
	if session.Unilateral(p.Kind) {
		if err := l.state.Refuse(p.signed, now); err != nil {
			return err
		}
		if err := l.putOutbox(p, now); err != nil {
			return err
		}
		l.say(Answer{Act: p.id})
		return nil
	}
	return l.enqueue(p, now)
}

// enqueue refuses here what this node already knows to be refused, so that a peer never sees a bad signature of ours, and
// own people's bounds hold before the link.
func (l *Ledger) enqueue(p parsed, now int64) error {
	if len(l.pending) >= maxPending {
		return problem.New(problem.TooMany, "what", "pending")
	}
	if err := l.linkAllows(p.Kind); err != nil {
		return err
	}
	if err := l.state.Refuse(p.signed, now); err != nil {
		return err
	}
	if err := l.tryAct(p, now); err != nil {
		return err
	}
	if p.Kind == act.KindPlan && l.plan == nil {
		var plan act.Plan
		if canon.Decode(p.Body, &plan) != nil {
			return problem.New(problem.PlanInvalid)
		}
		l.setPlan(&plan, now)
	}
	l.pending = append(l.pending, &pending{parsed: p, since: now})
	return nil
}

// tryAct runs the rules and the signatures as if the act were ordered now. While own items wait for their order, the ordered
// state lags behind what the author sees, so that its refusal means little and only the signature is asked for.
func (l *Ledger) tryAct(p parsed, now int64) error {
	entry := l.makeEntry(act.ItemAct, p.bytes, now)
	checks, err := l.state.Checks(entry)
	switch {
	case err == nil:
		if err := l.cfg.Verify(checks); err != nil {
			return err
		}
		return l.validate(entry)
	case l.state.Overlays() > 0:
		return l.verify(p.Key, act.ContextAct, p.signed.Act, p.signed.Sig, problem.BadSignature)
	}
	return err
}

// linkAllows refuses a joint act while a link is lost or a clock is off: it could not be in effect for every side.
func (l *Ledger) linkAllows(k act.Kind) error {
	if !joint(k) {
		return nil
	}
	for _, s := range l.sides() {
		switch p := l.peers[s]; {
		case p.lost:
			return problem.New(problem.LinkLost)
		case p.clock.off:
			return problem.New(problem.ClockOff)
		}
	}
	return nil
}

func (l *Ledger) inOutbox(id act.ID) bool {
	for _, it := range l.chain(l.cfg.Own).waiting() {
		var so act.SignedOutbox
		var o act.Outbox
		if errors.Join(canon.Decode(it.Bytes, &so), canon.Decode(so.Item, &o)) != nil {
			continue
		}
		if p, err := parse(o.Act); err == nil && p.id == id {
			return true
		}
	}
	return false
}

// Lost says that an own device has gone without leaving: the node's own unilateral act.
func (l *Ledger) Lost(join []byte, now int64) []Effect {
	if l.turns.dead {
		return nil
	}
	if m, ok := l.state.Member(join); ok && m.State == session.Live && bytes.Equal(m.Side, l.cfg.Own[:]) {
		l.nodeAct(act.KindLost, act.Lost{Join: join}, now)
	}
	l.advance(now)
	return l.end(now)
}

// nodeAct signs an act with the node key and puts it in the outbox.
func (l *Ledger) nodeAct(k act.Kind, body any, now int64) {
	nonce := l.cfg.Nonce()
	a := act.Encode(act.Act{
		Version: act.Version, Scope: l.cfg.Scope[:], Kind: k, Side: l.cfg.Own[:], Key: l.cfg.Key, At: now,
		Nonce: nonce[:], Body: act.Encode(body),
	})
	p, err := parse(act.Encode(act.Signed{Act: a, Sig: l.cfg.Sign(act.ContextAct, a)}))
	if err != nil {
		return
	}
	_ = l.putOutbox(p, now) // refused only when the session no longer takes it: closed, or stopped for too many reasons
}

// suspend stops the session by the node's own word, unless the very reason already stands.
func (l *Ledger) suspend(reason string, of Side, now int64) {
	if ph := l.state.Phase(); ph != session.PhaseAgreed && ph != session.PhaseSuspended {
		return
	}
	for _, s := range l.state.Suspensions() {
		if s.Reason == reason && bytes.Equal(s.Of, of[:]) && bytes.Equal(s.Side, l.cfg.Own[:]) {
			return
		}
	}
	l.nodeAct(act.KindSuspend, act.Suspend{Reason: reason, Of: of[:]}, now)
}

// verify checks one Ed25519 signature through the function given at construction.
func (l *Ledger) verify(key []byte, context string, b, sig []byte, code problem.Code) error {
	return l.cfg.Verify([]session.Check{{
		Alg: session.Ed25519, Key: key, Message: act.Message(context, b), Signature: sig, What: context, Code: code,
	}})
}

// nodeKey is a side's node key, from the log, or before entry 0 unknown.
func (l *Ledger) nodeKey(s Side) []byte { return l.state.NodeKey(s[:]) }
