package native

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/group"
	"parley.link/parley/internal/ident"
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
	if raw.Index < p.log.Next() {
		return nil
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
	case p.busy > 0 || !p.caught || p.leaving || p.ended() != nil:
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
