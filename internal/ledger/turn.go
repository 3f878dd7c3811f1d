package ledger

import (
	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/linkpb"
)

// turns holds back what was decided until it is durable. See the package comment.
type turns struct {
	token     uint64
	rec       Records
	out       []Effect
	held      []heldTurn
	published marks // what is durable and may be named to others
	dead      bool  // a write failed
}

type heldTurn struct {
	token uint64
	out   []Effect
	marks marks
}

// marks is how far this node is.
type marks struct {
	term, next uint64
	hash       [32]byte
	own        uint64
	peers      map[Side]uint64 // items held of each peer's outbox
}

func (l *Ledger) marks() marks {
	m := marks{peers: map[Side]uint64{}}
	m.term, m.next, m.hash = l.state.Head()
	for side, c := range l.chains {
		if side == l.cfg.Own {
			m.own = c.next
		} else {
			m.peers[side] = c.next
		}
	}
	return m
}

func (l *Ledger) say(e Effect)                       { l.turns.out = append(l.turns.out, e) }
func (l *Ledger) send(s Side, f *linkpb.LinkFrame)   { l.say(ToPeer{s, f}) }
func (l *Ledger) answer(id act.ID, p *problem.Error) { l.say(Answer{Act: id, Problem: p}) }
func (l *Ledger) broadcast(f *linkpb.LinkFrame) {
	for _, s := range l.sides() {
		l.send(s, f)
	}
}

// end closes a turn. The Persist comes first and alone; the rest waits behind it, and behind every write before it: a turn
// without records of its own may still speak of what an earlier turn has not made durable yet.
func (l *Ledger) end(now int64) []Effect {
	t := &l.turns
	out, rec := t.out, t.rec
	t.out, t.rec = nil, Records{}
	wake := Wake{At: l.nextWake(now)}
	if !rec.Empty() {
		t.token++
		t.held = append(t.held, heldTurn{token: t.token, out: out, marks: l.marks()})
		return []Effect{Persist{Token: t.token, Records: rec}, wake}
	}
	if n := len(t.held); n > 0 {
		t.held[n-1].out = append(t.held[n-1].out, out...)
		return []Effect{wake}
	}
	return append(out, wake)
}

// Persisted says that a Persist is durable; tokens come back in order. It returns what was held for it.
func (l *Ledger) Persisted(token uint64) []Effect {
	t := &l.turns
	if t.dead || len(t.held) == 0 || t.held[0].token != token {
		return nil
	}
	h := t.held[0]
	t.held = t.held[1:]
	t.published = h.marks
	return h.out
}

// Failed says that a Persist could not be written. Nothing of it, or after it, was said to anybody. The ledger answers those
// who wait and is dead; the driver makes another by Replay from the store.
//
// The answer must not say more than is known. What was to become an entry or an item here is nowhere: the problem itself. But an act
// that went to the sequencer may be in its log, or be on its way there, whatever this disk does: "disk-full" would make its author
// do it again, with another nonce, and it would be done twice. It is Uncertain.
func (l *Ledger) Failed(token uint64, code problem.Code) []Effect {
	t := &l.turns
	if t.dead || len(t.held) == 0 || t.held[0].token != token {
		return nil
	}
	t.dead = true
	var out []Effect
	for _, h := range t.held {
		for _, e := range h.out {
			if a, ok := e.(Answer); ok {
				out = append(out, l.unwritten(a, code))
			}
		}
	}
	for _, p := range l.pending {
		a := Answer{Act: p.id, Problem: problem.New(code)}
		if p.sent {
			a.Problem = uncertain(code)
		}
		out = append(out, a)
	}
	return out
}

// unwritten is what is left of an answer whose turn could not be written.
func (l *Ledger) unwritten(a Answer, code problem.Code) Answer {
	switch {
	case a.Problem != nil, a.Ordered && a.Index < l.turns.published.next:
		return a // refused, or durable before
	case a.Ordered && Side(l.log[a.Index].Sigs[0].Side) != l.cfg.Own:
		return Answer{Act: a.Act, Problem: uncertain(code)} // another node ordered it; only this one could not keep it
	}
	return Answer{Act: a.Act, Problem: problem.New(code)}
}

func uncertain(why problem.Code) *problem.Error {
	return problem.New(problem.Uncertain, "why", string(why))
}
