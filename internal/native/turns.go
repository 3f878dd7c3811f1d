package native

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/group"
)

// turnOver does what is due now and says how long until the next.
func (p *Participant) turnOver(ctx context.Context) time.Duration {
	now := time.Now()
	wake := time.Second
	if p.log == nil {
		return wake
	}
	p.hush(now)
	if p.turn.due(now) {
		if err := p.seal.sendNewest(); err == nil {
			p.note(func(f *Facts) { f.Keyed, f.Steps.Keyed = true, time.Now() })
		}
	} else if !p.turn.deadline.IsZero() {
		wake = min(wake, max(time.Until(p.turn.deadline), time.Millisecond))
	}
	if p.group != nil && now.Sub(p.attested) >= attestEvery {
		p.attested = now
		p.attest(ctx)
	}
	p.present(ctx)
	own := group.Own{Join: p.join, Group: p.groupID, Epoch: p.epoch, Outstanding: p.busy > 0 || p.staged != nil || p.founding != nil, UpdatedAt: p.updated}
	switch a := p.policy.Next(group.ViewOf(p.log.State), own, now.UnixMilli()); a.Kind {
	case group.Wait:
		wake = min(wake, max(time.UnixMilli(a.Until).Sub(now), time.Millisecond))
	case group.Rejoin:
		p.joinAnew(ctx)
	case group.Found:
		p.found(ctx)
	case group.Commit:
		p.commit(ctx, a)
	}
	return wake
}

func (p *Participant) found(ctx context.Context) {
	if p.member == nil { // its KeyPackage was used in a group that is no more
		p.joinAnew(ctx)
		return
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	p.founding = id
	p.submit(ctx, act.KindGroupNew, act.GroupNew{Group: id, Join: p.join}, func(err error) {
		if err != nil {
			p.founding = nil
		}
	})
}

func (p *Participant) commit(ctx context.Context, a group.Action) {
	if p.group == nil {
		return
	}
	a.Adds = slices.DeleteFunc(slices.Clone(a.Adds), func(j []byte) bool { return p.unfit[string(j)] })
	if p.oneByOne {
		a.Adds = a.Adds[:min(1, len(a.Adds))]
	}
	if len(a.Adds)+len(a.Removes) == 0 && len(p.unfit) > 0 {
		return
	}
	var packages [][]byte
	for _, j := range a.Adds {
		if m, ok := p.log.State.Member(j); ok {
			packages = append(packages, m.KeyPackage)
		}
	}
	s, err := p.group.Commit(packages, a.Removes, p.roster(), time.Now())
	if err != nil {
		p.note(func(f *Facts) { f.Problem = "commit: " + err.Error() })
		// One join that nobody can add must not keep everybody out: add one by one, and leave the unfit one where it is.
		p.oneByOne = true
		if len(a.Adds) == 1 {
			p.unfit[string(a.Adds[0])] = true
		}
		return
	}
	p.oneByOne = false
	body := act.Commit{Group: p.groupID, Epoch: p.epoch, Adds: a.Adds, Removes: a.Removes, Message: s.Message, Welcome: s.Welcome}
	var mine *staged
	id := p.submit(ctx, act.KindCommit, body, func(err error) {
		if err != nil && p.staged == mine && p.group != nil {
			_ = p.group.Discard(mine.commit)
			p.staged = nil
		}
	})
	mine = &staged{act: act.ID(id), commit: s}
	p.staged = mine
}
