package office

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// NewTerm makes another side's node, or one's own, the sequencer of the followed session. An officer of every side does the same; each signs
// one exact point of the log, so a vote dies with the next entry and is given anew for the new end. The officer of the side that takes over
// puts the votes of all together. It returns the term once the log says so.
func (f *Follower) NewTerm(ctx context.Context, sequencer []byte, most time.Duration) (uint64, error) {
	st, err := f.state()
	if err != nil || st == nil {
		return 0, errors.Join(err, problem.New(problem.UnknownSession))
	}
	before, _, _ := st.Head()
	if bytes.Equal(st.Sequencer(), sequencer) {
		return before, problem.New(problem.AlreadyDone, "what", "sequencer")
	}
	var voted [32]byte
	var last error
	deadline := time.Now().Add(most)
	tick := time.NewTicker(2 * askEvery)
	defer tick.Stop()
	for {
		st, err := f.state()
		if err != nil {
			return 0, err
		}
		term, next, hash := st.Head()
		switch {
		case term > before && bytes.Equal(st.Sequencer(), sequencer):
			return term, nil
		case st.Phase() == session.PhaseClosed:
			return 0, problem.New(problem.SessionClosed)
		case term > before:
			return 0, fmt.Errorf("another term began meanwhile: %w", problem.New(problem.OutOfOrder, "field", "term"))
		case time.Now().After(deadline):
			return 0, errors.Join(fmt.Errorf("wait for the officers of every side: %w", ErrWait), last)
		}
		body := act.Term{Term: term + 1, Sequencer: sequencer, After: next - 1, Hash: hash[:], Others: [][]byte{}}
		if others := f.votesFor(body); bytes.Equal(sequencer, f.Office.Author.Side) {
			if len(others) == len(st.SideIDs())-1 {
				body.Others = others
				_, last = f.Office.Submit(ctx, f.scope, act.KindTerm, body)
			}
		} else if voted != hash {
			if _, last = f.Office.Submit(ctx, f.scope, act.KindTerm, body); last == nil {
				voted = hash
			}
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
}

// SideNamed finds a side of the followed session by its name in any language, or by the beginning of its id.
func (f *Follower) SideNamed(named string) ([]byte, error) {
	st, err := f.state()
	if err != nil || st == nil {
		return nil, errors.Join(err, problem.New(problem.UnknownSession))
	}
	plan, _ := st.Plan()
	for _, s := range plan.Sides {
		if named != "" && isSide(s, named) {
			return s.ID, nil
		}
	}
	return nil, problem.New(problem.NotYours, "what", "side")
}
