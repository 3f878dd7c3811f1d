package native

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// submit sends an own act; done runs on the loop with the node's answer.
func (p *Participant) submit(ctx context.Context, kind act.Kind, body any, done func(error)) []byte {
	scope := p.log.State.Scope()
	s, id := p.author.Act(scope[:], kind, body)
	p.handIn(ctx, kind, s, done)
	return id[:]
}

// sendJoin sends the present join over the present socket.
func (p *Participant) sendJoin(ctx context.Context) {
	p.joinSent = true
	join := p.join
	p.handIn(ctx, act.KindJoin, p.joinAct, func(err error) {
		if err != nil && bytes.Equal(join, p.join) {
			p.member, p.join = nil, nil
		}
	})
}

// How often and how fast an act is asked for whose fate its node could not record.
const (
	uncertainTries = 15
	uncertainEvery = 2 * time.Second
)

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (p *Participant) handIn(ctx context.Context, kind act.Kind, s act.Signed, done func(error)) {
	scope := p.log.State.Scope()
	desk := p.desk
	p.busy++
	p.background(ctx, func(ctx context.Context) func() {
		p.cfg.Trace.act(kind, false)
		_, err := desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{Scope: scope[:], Act: canon.Encode(s)}}})
		// The node could not record what became of it. The same bytes are asked for again: they are in the log once, if at all, and a commit
		// that is given up here and ordered there would cost us our leaf.
		for range uncertainTries {
			if problem.CodeOf(err) != problem.Uncertain || !pause(ctx, uncertainEvery) {
				break
			}
			_, err = desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{Scope: scope[:], Act: canon.Encode(s)}}})
		}
		p.cfg.Trace.act(kind, true)
		return func() {
			p.busy--
			if err != nil {
				p.cfg.Log.Info("act refused", "kind", kind, "why", err)
				p.note(func(f *Facts) { f.Problem = fmt.Sprintf("%s: %v", kind, err) })
			}
			done(err)
		}
	})
}
