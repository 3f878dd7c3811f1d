package native

import (
	"bytes"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/mlsjs"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/signalpb"
)

// staged is an own commit on its way to the log.
type staged struct {
	act    act.ID
	commit *mlsjs.Staged
}

// entry applies one entry of the log and follows what it says of the group.
func (p *Participant) entry(e *signalpb.Entry) error {
	var raw act.Entry
	if err := canon.Decode(e.Entry, &raw); err != nil {
		return problem.New(problem.Malformed, "what", "entry")
	}
	before := p.log.State.Group()
	adds := map[string]session.Member{}
	for _, m := range p.log.State.PendingAdds() {
		adds[string(m.Join)] = m
	}
	effects, err := p.log.Entry(e)
	if err != nil {
		return err
	}
	for _, x := range effects {
		switch x.Kind {
		case session.EffectGroup:
			err = p.founded()
		case session.EffectEpoch:
			err = p.moved(raw, before, adds)
		}
		if err != nil {
			// Our own view of the group is broken, not the session: leave the state behind and be added again.
			p.cfg.Log.Warn("group state lost", "why", err)
			p.dropGroup()
		}
	}
	return nil
}

// founded follows a group-new: our own, or somebody's that we are not in yet.
func (p *Participant) founded() error {
	g := p.log.State.Group()
	p.dropGroup()
	if !bytes.Equal(g.Founder, p.join) || !bytes.Equal(g.ID, p.founding) || p.member == nil {
		return nil
	}
	p.founding = nil
	mg, err := p.member.Create(g.ID)
	p.member = nil
	if err != nil {
		return err
	}
	return p.enter(mg, g.ID, 0, false)
}

// moved follows an ordered commit.
func (p *Participant) moved(raw act.Entry, before session.GroupView, adds map[string]session.Member) error {
	c, id, author, err := commitOf(raw)
	if err != nil {
		return err
	}
	switch {
	case p.staged != nil && id == p.staged.act && p.group != nil:
		s := p.staged
		p.staged = nil
		epoch, err := p.group.Confirm(s.commit)
		if err != nil {
			return err
		}
		p.updated = time.Now().UnixMilli()
		return p.enter(p.group, p.groupID, epoch, len(c.Removes) > 0)
	case p.group != nil && bytes.Equal(p.groupID, c.Group) && p.epoch == c.Epoch:
		if p.staged != nil { // ours lost its place; made anew if still needed
			_ = p.group.Discard(p.staged.commit)
			p.staged = nil
		}
		return p.process(c, raw.At, author, before, adds)
	case p.member != nil && p.addsUs(c):
		m := p.member
		p.member = nil
		g, err := m.Join(c.Welcome, c.Group, p.roster(), c.Epoch+1)
		if err != nil {
			return err
		}
		p.updated = time.Now().UnixMilli()
		return p.enter(g, c.Group, c.Epoch+1, len(c.Removes) > 0)
	}
	return nil
}

func (p *Participant) process(c act.Commit, at int64, author []byte, before session.GroupView, adds map[string]session.Member) error {
	e := mlsjs.Expected{Removes: c.Removes, Now: time.UnixMilli(at)}
	found := false
	for i, j := range before.Leaves {
		if m, ok := p.log.State.Member(j); ok && bytes.Equal(m.Device, author) {
			e.CommitterLeaf, found = uint32(i), true
		}
	}
	if !found {
		return problem.New(problem.CommitClaims)
	}
	for _, j := range c.Adds {
		ref, err := p.rt.KeyPackageRef(adds[string(j)].KeyPackage)
		if err != nil {
			return err
		}
		e.Adds = append(e.Adds, ref)
	}
	epoch, removed, err := p.group.Process(c.Message, e, p.roster())
	if err != nil {
		return err
	}
	if removed {
		p.dropGroup()
		return nil
	}
	return p.enter(p.group, p.groupID, epoch, len(c.Removes) > 0)
}

func commitOf(raw act.Entry) (c act.Commit, id act.ID, author []byte, err error) {
	var s act.Signed
	var a act.Act
	if err = canon.Decode(raw.Item, &s); err == nil {
		if err = canon.Decode(s.Act, &a); err == nil {
			err = canon.Decode(a.Body, &c)
		}
	}
	return c, act.IDOf(s.Act), a.Key, err
}

func (p *Participant) addsUs(c act.Commit) bool {
	for _, j := range c.Adds {
		if bytes.Equal(j, p.join) {
			return true
		}
	}
	return false
}

// roster is who may hold a leaf, by the log and nothing else.
func (p *Participant) roster() (r mlsjs.Roster) {
	for _, e := range p.log.State.LeafRoster() {
		r = append(r, mlsjs.RosterEntry{Identity: e.Identity, SignatureKey: e.Key})
	}
	return r
}

// enter takes a new epoch: its key for receiving at once, for sending when the others are ready.
func (p *Participant) enter(g *mlsjs.Group, id []byte, epoch uint64, removed bool) error {
	if !bytes.Equal(p.groupID, id) {
		p.seal.group()
		p.turn.reset()
	}
	now := time.Now()
	p.group, p.groupID, p.epoch = g, bytes.Clone(id), epoch
	ctx, err := g.Context()
	if err != nil {
		return err
	}
	base, err := g.BaseKey()
	if err != nil {
		return err
	}
	words, _, err := g.Fingerprint()
	if err != nil {
		return err
	}
	p.leaf = ctx.OwnLeaf
	p.announce() // held frames are opened by what the log says of their tracks now
	for _, f := range p.seal.install(epoch, ctx.OwnLeaf, base, now) {
		p.frame(f)
	}
	var others []uint32
	for _, l := range ctx.Leaves {
		if l.Index != ctx.OwnLeaf {
			others = append(others, l.Index)
		}
	}
	p.turn.next(epoch, others, removed, now)
	for device, n := range p.early {
		p.heard([]byte(device), n)
	}
	p.attests.enter(belief{string(id), epoch, string(ctx.Tree), string(ctx.Transcript)})
	p.attested = time.Time{} // at once
	p.note(func(f *Facts) {
		f.Epoch, f.EpochAt, f.Fingerprint, f.Members, f.Keyed = epoch, now, words, len(ctx.Leaves), false
	})
	return nil
}

func (p *Participant) dropGroup() {
	if p.group != nil {
		_ = p.group.Close()
	}
	p.group, p.groupID, p.epoch, p.staged = nil, nil, 0, nil
	p.turn.reset()
	p.seal.group()
	p.attests = attestations{}
}
