package session_test

import (
	"fmt"
	"strings"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
)

func groups(t *testing.T) *script {
	s, c, j := inRoom(t)
	s = s.then("groups", "Commits: who may, which epoch, which joins come in, which leaves must go, which leaf a join gets.")
	w := s.World
	vi, qi := w.Join(c.vInt, "vi session"), w.Join(c.qInt, "qi session")
	ids := func(signed ...act.Signed) (out [][]byte) {
		for _, x := range signed {
			out = append(out, sessiontest.JoinID(x))
		}
		return out
	}
	c1 := func(p *sessiontest.Person, b act.Commit) act.Signed { return w.By(p, act.KindCommit, b) }
	s.order("Velmark's interpreter joins", vi, "ok")
	s.order("Qasran's interpreter joins", qi, "ok")
	s.order("the interpreter, who is not in the group, adds itself", c1(c.vInt, commit("1", 1, ids(vi))), "not-committer")
	s.order("somebody who has not joined commits", c1(c.vGuest, commit("1", 1, ids(vi))), "not-joined")
	s.order("Velmark's officer commits", w.Officer(c.v, 0, act.KindCommit, commit("1", 1, ids(vi))), "not-joined")
	s.order("Velmark's node commits", w.Act(c.v, c.v.Node, act.KindCommit, commit("1", 1, ids(vi))), "not-joined")
	s.order("a commit of an epoch that is over", c1(c.vPrin, commit("1", 0, ids(vi))), "stale-epoch")
	s.order("a commit of an epoch to come", c1(c.vPrin, commit("1", 2, ids(vi))), "stale-epoch")
	s.order("a commit of another group", c1(c.vPrin, commit("2", 1, ids(vi))), "stale-epoch")
	s.order("a commit that adds a ghost", c1(c.vPrin, commit("1", 1, [][]byte{sessiontest.GroupID("ghost")})), "commit-claims")
	s.order("a commit that adds a member again", c1(c.vPrin, commit("1", 1, ids(j["q"]))), "commit-claims")
	s.order("a commit that adds one join twice", c1(c.vPrin, commit("1", 1, ids(vi, vi))), "commit-claims")
	s.order("a commit that removes a live member of the other side", c1(c.vPrin, commit("1", 1, nil, 1)), "commit-claims")
	s.order("a commit that removes a leaf that is not there", c1(c.vPrin, commit("1", 1, nil, 7)), "commit-claims")
	s.order("a commit without a message", c1(c.vPrin, act.Commit{Group: sessiontest.GroupID("1"), Epoch: 1}), "commit-claims")
	s.order("a commit with adds and without a welcome", c1(c.vPrin, act.Commit{Group: sessiontest.GroupID("1"), Epoch: 1, Adds: ids(vi), Message: []byte("m")}), "commit-claims")
	s.order("a commit with a welcome and without adds", c1(c.vPrin, act.Commit{Group: sessiontest.GroupID("1"), Epoch: 1, Message: []byte("m"), Welcome: []byte("w")}), "commit-claims")
	s.order("Qasran's principal adds both, in an order of its own", c1(c.qPrin, commit("1", 1, ids(qi, vi))), "ok")
	s.order("the same epoch by Velmark's principal, who was slower", c1(c.vPrin, commit("1", 1, ids(vi, qi))), "stale-epoch")
	s.order("a path update", c1(c.vInt, commit("1", 2, nil)), "ok")
	s.item("Qasran's principal leaves", c.q, w.By(c.qPrin, act.KindLeave, act.Leave{Join: sessiontest.JoinID(j["q"])}), "ok")
	s.order("a path update that leaves the leaf in", c1(c.vPrin, commit("1", 3, nil)), "stale-epoch")
	s.order("the one who left commits", c1(c.qPrin, commit("1", 3, nil, 1)), "not-joined")
	again := w.Join(c.qPrin, "q session 2")
	s.order("Qasran's principal comes back", again, "ok")
	s.item("Qasran's node loses the interpreter", c.q, w.Act(c.q, c.q.Node, act.KindLost, act.Lost{Join: sessiontest.JoinID(qi)}), "ok")
	s.order("removes out of order", c1(c.vPrin, commit("1", 3, ids(again), 2, 1)), "commit-claims")
	s.order("removes one leaf twice", c1(c.vPrin, commit("1", 3, ids(again), 1, 1)), "commit-claims")
	s.order("removes who left, waits for who is lost, adds who came back", c1(c.vPrin, commit("1", 3, ids(again), 1)), "ok")
	s.order("the lost one is removed", c1(c.vPrin, commit("1", 4, nil, 2)), "ok")
	s.item("Velmark's interpreter leaves, at the last leaf", c.v, w.By(c.vInt, act.KindLeave, act.Leave{Join: sessiontest.JoinID(vi)}), "ok")
	s.order("and the tree shrinks", c1(c.vPrin, commit("1", 5, nil, 3)), "ok")
	qi2 := w.Join(c.qInt, "qi session 2")
	s.order("Qasran's interpreter comes back", qi2, "ok")
	s.order("and gets the next leaf", c1(c.qPrin, commit("1", 6, ids(qi2))), "ok")
	return s
}

func refounding(t *testing.T) *script {
	s, c, j := inRoom(t)
	s = s.then("refounding", "Everybody reloads at once: nobody holds the group, the first back founds another.")
	w := s.World
	v2, q2 := w.Join(c.vPrin, "v session 2"), w.Join(c.qPrin, "q session 2")
	s.order("Velmark's principal reloads", v2, "ok")
	found := func(group string) act.GroupNew {
		return act.GroupNew{Group: sessiontest.GroupID(group), Join: sessiontest.JoinID(v2)}
	}
	s.order("and founds a group while Qasran's still holds one", w.By(c.vPrin, act.KindGroupNew, found("2")), "already-done")
	s.order("Qasran's principal reloads", q2, "ok")
	s.order("a founder that names its old join", w.By(c.vPrin, act.KindGroupNew, act.GroupNew{Group: sessiontest.GroupID("2"), Join: sessiontest.JoinID(j["v"])}), "not-yours")
	s.order("a founder that takes the old group's id", w.By(c.vPrin, act.KindGroupNew, found("1")), "replayed")
	s.order("a group id of the wrong length", w.By(c.vPrin, act.KindGroupNew, act.GroupNew{Group: []byte("short"), Join: sessiontest.JoinID(v2)}), "malformed")
	s.order("Velmark's principal founds a group", w.By(c.vPrin, act.KindGroupNew, found("2")), "ok")
	s.order("a commit of the old group", w.By(c.vPrin, act.KindCommit, commit("1", 1, nil)), "stale-epoch")
	s.order("Qasran's is added", w.By(c.vPrin, act.KindCommit, commit("2", 0, [][]byte{sessiontest.JoinID(q2)})), "ok")
	return s
}

func revocations(t *testing.T) *script {
	s, c, _ := inRoom(t)
	s = s.then("revocations", "An officer ends the presence of one of its own side's people, and nobody else's.")
	w := s.World
	rev := func(signer ident.Key, change func(*ident.Revocation)) []byte {
		r := ident.Revocation{Version: 1, Side: c.q.ID, Person: c.qPrin.ID, Device: c.qPrin.Device.Public(), Reason: "device lost", At: w.Now, By: signer.Public()}
		change(&r)
		return canon.Encode(signer.SignBody(ident.ContextRevocation, r))
	}
	same := func(*ident.Revocation) {}
	s.item("Velmark's officer revokes Qasran's principal", c.v, w.Officer(c.v, 0, act.KindRevoke, act.Revoke{Revocation: rev(c.v.Officers[0], same)}), "not-yours")
	s.item("Velmark's officer shows a revocation that Qasran's officer made", c.v, w.Officer(c.v, 0, act.KindRevoke, act.Revoke{Revocation: rev(c.q.Officers[0], same)}), "not-yours")
	s.item("Qasran's principal revokes", c.q, w.By(c.qPrin, act.KindRevoke, act.Revoke{Revocation: rev(c.qPrin.Device, same)}), "not-officer")
	s.item("a revocation by a device that is no officer's", c.q, w.Officer(c.q, 0, act.KindRevoke, act.Revoke{Revocation: rev(c.qInt.Device, same)}), "not-officer")
	s.item("a revocation that its officer did not sign", c.q, w.Officer(c.q, 0, act.KindRevoke, act.Revoke{Revocation: resign(t, rev(c.q.Officers[0], same), func(x *ident.Signed) { x.Ed25519[3] ^= 1 })}), "bad-signature")
	s.item("no revocation", c.q, w.Officer(c.q, 0, act.KindRevoke, act.Revoke{}), "malformed")
	s.item("Qasran's second officer revokes its principal's device", c.q, w.Officer(c.q, 1, act.KindRevoke, act.Revoke{Revocation: rev(c.q.Officers[1], same)}), "ok")
	s.order("the revoked device commits", w.By(c.qPrin, act.KindCommit, commit("1", 1, nil)), "not-joined")
	s.order("the revoked device joins again", w.Join(c.qPrin, "q session 2"), "accreditation-revoked")
	s.order("Velmark's principal removes the leaf", w.By(c.vPrin, act.KindCommit, commit("1", 1, nil, 1)), "ok")
	tablet := c.q.PersonOn("prin", "principal", "tablet")
	s.order("Qasran's principal on another device", w.Join(tablet, "q session 3"), "ok")
	all := rev(c.q.Officers[0], func(r *ident.Revocation) { r.Device, r.Reason = nil, "" })
	s.item("Qasran's first officer revokes all of the principal's devices", c.q, w.Officer(c.q, 0, act.KindRevoke, act.Revoke{Revocation: all}), "ok")
	s.order("the tablet joins again", w.Join(tablet, "q session 4"), "accreditation-revoked")
	fresh := tablet.Accredit(func(a *ident.Accreditation) { a.At = w.Now })
	s.order("the tablet joins with a later accreditation", w.Join(fresh, "q session 5"), "ok")
	return s
}

func outboxes(t *testing.T) *script {
	s, c, j := inRoom(t)
	s = s.then("outboxes", "A node's chain of unilateral acts: its order, its author, and items that others overtook.")
	w := s.World
	leaveQ := func() act.Signed {
		return w.By(c.qPrin, act.KindLeave, act.Leave{Join: sessiontest.JoinID(j["q"])})
	}
	lost := func(side *sessiontest.Side, key ident.Key, who string) act.Signed {
		return w.Act(side, key, act.KindLost, act.Lost{Join: sessiontest.JoinID(j[who])})
	}
	s.item("Velmark's node says that Qasran's principal is lost", c.v, lost(c.v, c.v.Node, "q"), "not-yours")
	s.item("Qasran's officer says that its principal is lost", c.q, lost(c.q, c.q.Officers[0], "q"), "not-yours")
	s.item("Velmark's principal ends Qasran's presence", c.v, w.By(c.vPrin, act.KindLeave, act.Leave{Join: sessiontest.JoinID(j["q"])}), "not-yours")
	s.item("a join in an outbox", c.v, w.Join(c.vInt, "vi session"), "malformed")
	s.item("a resume in an outbox", c.v, w.Officer(c.v, 0, act.KindResume, act.Resume{}), "malformed")
	it := w.Item(c.q, leaveQ())
	bad := it
	bad.Sig = c.v.Node.Sign(act.ContextOutbox, it.Item)
	s.raw("an item that another node signed", w.Entry(s.state, bad), "bad-signature")
	forged := leaveQ()
	forged.Sig = c.q.Officers[0].Sign(act.ContextAct, forged.Act)
	s.item("an item with an act that its author did not sign", c.q, forged, "bad-signature")
	skip := *c.q
	skip.Seq++
	s.raw("an item after a missing one", w.Entry(s.state, w.Item(&skip, leaveQ())), "gap")
	fork := *c.q
	fork.Prev = sessiontest.GroupID("x")
	s.raw("an item on another chain", w.Entry(s.state, w.Item(&fork, leaveQ())), "forked")
	s.raw("Qasran's principal leaves", w.Entry(s.state, it), "ok")
	c.q.Advance(it)
	s.raw("the same item again", w.Entry(s.state, it), "replayed")
	s.item("leaves again: ordered without effect", c.q, leaveQ(), "ok")
	s.item("its node says it is lost: ordered without effect", c.q, lost(c.q, c.q.Node, "q"), "ok")
	s.item("a leave of a join that never was: ordered without effect", c.q, w.By(c.qPrin, act.KindLeave, act.Leave{Join: sessiontest.GroupID("none")}), "ok")
	q2 := w.Join(c.qPrin, "q session 2")
	s.order("Qasran's principal comes back", q2, "ok")
	s.item("an old leave does not end the new join", c.q, leaveQ(), "ok")
	s.item("Velmark's node loses its principal", c.v, lost(c.v, c.v.Node, "v"), "ok")
	s.order("who is lost publishes", w.By(c.vPrin, act.KindPublish, act.Publish{Track: sessiontest.TrackID("vm"), Source: act.SourceMicrophone, Codec: "opus"}), "not-joined")
	s.order("who is lost joins again", w.Join(c.vPrin, "v session 2"), "ok")
	return s
}

func admits(t *testing.T) *script {
	s, c, _ := inRoom(t)
	s = s.then("admits", "One more seat, named by its own side, agreed by all.")
	w := s.World
	admit := func(by *sessiontest.Side, side []byte, person, role, format string) act.Signed {
		return w.Officer(by, 0, act.KindAdmit, act.Admit{Format: format, Seat: act.Seat{Side: side, Person: person, Role: role}})
	}
	s.order("Velmark's principal admits", w.By(c.vPrin, act.KindAdmit, act.Admit{Format: sessiontest.FormatID, Seat: act.Seat{Side: c.v.ID, Person: c.vGuest.ID, Role: "adviser"}}), "not-officer")
	s.order("Qasran names a person of Velmark", admit(c.q, c.v.ID, c.vGuest.ID, "adviser", sessiontest.FormatID), "not-yours")
	s.order("another format", admit(c.v, c.v.ID, c.vGuest.ID, "adviser", "plenary"), "plan-invalid")
	s.order("a role outside the vocabulary", admit(c.v, c.v.ID, c.vGuest.ID, "host", sessiontest.FormatID), "plan-invalid")
	s.order("who has a seat already", admit(c.v, c.v.ID, c.vInt.ID, "interpreter", sessiontest.FormatID), "already-done")
	one := admit(c.v, c.v.ID, c.vGuest.ID, "adviser", sessiontest.FormatID)
	two := admit(c.v, c.v.ID, c.vGuest.ID, "sherpa", sessiontest.FormatID)
	s.order("Velmark names its adviser", one, "ok")
	s.order("Velmark names the same person in another role", two, "ok")
	s.order("the adviser joins too early", w.Join(c.vGuest, "guest"), "not-seated")
	s.order("Qasran consents", w.Officer(c.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(one)}), "ok")
	s.order("Qasran consents to the other, too", w.Officer(c.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(two)}), "already-done")
	s.order("the adviser joins", w.Join(c.vGuest, "guest 2"), "ok")
	return s
}

func closing(t *testing.T) *script {
	s, c, j := inRoom(t)
	s = s.then("closing", "Closed by all; afterwards nothing but late outbox items, without effect.")
	w := s.World
	mic := act.Publish{Track: sessiontest.TrackID("vm"), Source: act.SourceMicrophone, Codec: "opus"}
	s.order("Velmark's principal publishes a microphone", w.By(c.vPrin, act.KindPublish, mic), "ok")
	s.order("Velmark's principal closes", w.By(c.vPrin, act.KindClose, act.Close{}), "not-officer")
	end := w.Officer(c.q, 0, act.KindClose, act.Close{})
	s.order("Qasran proposes to close", end, "ok")
	s.order("Velmark consents", w.Officer(c.v, 1, act.KindConsent, act.Consent{To: sessiontest.JoinID(end)}), "ok")
	s.order("another consent", w.Officer(c.v, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(end)}), "session-closed")
	s.order("unmutes", w.By(c.vPrin, act.KindUnmute, act.Unmute{Track: sessiontest.TrackID("vm")}), "session-closed")
	s.order("joins", w.Join(c.vInt, "vi session"), "session-closed")
	s.order("commits", w.By(c.vPrin, act.KindCommit, commit("1", 1, nil)), "session-closed")
	s.order("resumes", w.Officer(c.v, 0, act.KindResume, act.Resume{}), "session-closed")
	s.order("closes", w.Officer(c.v, 0, act.KindClose, act.Close{}), "session-closed")
	s.order("admits", w.Officer(c.v, 0, act.KindAdmit, act.Admit{Format: sessiontest.FormatID, Seat: act.Seat{Side: c.v.ID, Person: c.vGuest.ID, Role: "adviser"}}), "session-closed")
	s.ask("would a leave be refused", w.By(c.vPrin, act.KindLeave, act.Leave{Join: sessiontest.JoinID(j["v"])}), "session-closed")
	s.item("a leave that was on its way: ordered without effect", c.v, w.By(c.vPrin, act.KindLeave, act.Leave{Join: sessiontest.JoinID(j["v"])}), "ok")
	return s
}

func terms(t *testing.T) *script {
	s, c, _ := inRoom(t)
	s = s.then("terms", "A new sequencer: an officer of every side signs the same point of the log.")
	w := s.World
	body := func() act.Term {
		term, next, hash := s.state.Head()
		return act.Term{Term: term + 1, Sequencer: c.q.ID, After: next - 1, Hash: append([]byte{}, hash[:]...)}
	}
	try := func(do string, change func(*act.Term), others []act.Signed, want string) {
		t.Helper()
		b := body()
		change(&b)
		for _, o := range others {
			b.Others = append(b.Others, act.Encode(o))
		}
		signed := w.Officer(c.v, 0, act.KindTerm, b)
		_, next, hash := s.state.Head()
		s.raw(do, w.EntryAt(b.Term, next, hash, signed), want)
	}
	same := func(*act.Term) {}
	good := w.Officer(c.q, 0, act.KindTerm, body())
	try("Velmark alone", same, nil, "not-in-force")
	try("Velmark twice", same, []act.Signed{w.Officer(c.v, 1, act.KindTerm, body())}, "already-done")
	try("with a principal of Qasran", same, []act.Signed{w.By(c.qPrin, act.KindTerm, body())}, "not-officer")
	wrong := body()
	wrong.Sequencer = c.v.ID
	try("with an officer who named another sequencer", same, []act.Signed{w.Officer(c.q, 0, act.KindTerm, wrong)}, "malformed")
	try("after another point", func(b *act.Term) { b.After++ }, []act.Signed{good}, "forked")
	try("after another hash", func(b *act.Term) { b.Hash = sessiontest.GroupID("x") }, []act.Signed{good}, "forked")
	try("skipping a term", func(b *act.Term) { b.Term++ }, []act.Signed{good}, "out-of-order")
	try("with a sequencer that is no side", func(b *act.Term) { b.Sequencer = sessiontest.GroupID("x") }, []act.Signed{good}, "not-yours")
	forged := good
	forged.Sig = c.v.Officers[0].Sign(act.ContextAct, good.Act)
	try("with a forged officer", same, []act.Signed{forged}, "bad-signature")
	other := w.Officer(c.q, 0, act.KindResume, act.Resume{})
	try("with an act of another kind", same, []act.Signed{other}, "malformed")
	b := body()
	b.Others = [][]byte{act.Encode(good)}
	s.order("in an entry of the old term", w.Officer(c.v, 0, act.KindTerm, b), "out-of-order")
	s.item("Qasran's node has lost the link", c.q, w.Act(c.q, c.q.Node, act.KindSuspend, act.Suspend{Reason: act.ReasonLinkLost, Of: c.v.ID}), "ok")
	good = w.Officer(c.q, 0, act.KindTerm, body())
	try("both officers, while suspended", same, []act.Signed{good}, "ok")
	s.order("an entry of the new term", w.Officer(c.q, 0, act.KindResume, act.Resume{}), "ok")
	term, next, hash := s.state.Head()
	s.raw("an entry of the old term", w.EntryAt(term-1, next, hash, w.Officer(c.q, 0, act.KindResume, act.Resume{})), "out-of-order")
	s.order("the other officer's act again by itself", good, "replayed")
	return s
}

func overlays(t *testing.T) *script {
	s, c, j := inRoom(t)
	s = s.then("overlays", "Unilateral acts are in effect on their own node before they are ordered, and only once.")
	w := s.World
	mic := act.Publish{Track: sessiontest.TrackID("vm"), Source: act.SourceMicrophone, Codec: "opus"}
	s.order("Velmark's principal publishes a microphone", w.By(c.vPrin, act.KindPublish, mic), "ok")
	mute := s.overlay("mutes it, in effect at once", c.v, w.By(c.vPrin, act.KindMute, act.Mute{Track: sessiontest.TrackID("vm")}), "ok")
	s.overlayItem("the same item again", mute, "ok")
	s.ask("mutes it again", w.By(c.vPrin, act.KindMute, act.Mute{Track: sessiontest.TrackID("vm")}), "already-done")
	s.ask("unmutes it", w.By(c.vPrin, act.KindUnmute, act.Unmute{Track: sessiontest.TrackID("vm")}), "ok")
	bad := mute
	bad.Sig = c.q.Node.Sign(act.ContextOutbox, mute.Item)
	gap := *c.v
	gap.Seq++
	s.overlayItem("an item after a missing one", w.Item(&gap, w.By(c.vPrin, act.KindWithdraw, act.Withdraw{Track: sessiontest.TrackID("vm")})), "gap")
	s.overlay("Velmark's node mutes Qasran's", c.v, w.Act(c.v, c.v.Node, act.KindLost, act.Lost{Join: sessiontest.JoinID(j["q"])}), "not-yours")
	stop := s.overlay("Velmark's officer suspends", c.v, w.Officer(c.v, 0, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer}), "ok")
	s.ask("a commit while only this side knows", w.By(c.vPrin, act.KindCommit, commit("1", 1, nil)), "session-suspended")
	s.ask("a publish while only this side knows", w.By(c.vPrin, act.KindPublish, act.Publish{Track: sessiontest.TrackID("vc"), Source: act.SourceCamera, Codec: "vp9"}), "session-suspended")
	gone := s.overlay("Qasran's principal leaves", c.q, w.By(c.qPrin, act.KindLeave, act.Leave{Join: sessiontest.JoinID(j["q"])}), "ok")
	s.order("the log goes on meanwhile: Velmark's interpreter joins", w.Join(c.vInt, "vi session"), "ok")
	s.raw("Qasran's leave is ordered first", w.Entry(s.state, gone), "ok")
	s.raw("Velmark's mute is ordered", w.Entry(s.state, mute), "ok")
	s.raw("Velmark's suspension is ordered", w.Entry(s.state, stop), "ok")
	s.overlayItem("an item that is ordered already", mute, "ok")
	return s
}

func three(t *testing.T) *script {
	w := sessiontest.New(3)
	v, q, x := w.Sides[0], w.Sides[1], w.Sides[2]
	vp, xp := v.Person("prin", "principal"), x.Person("prin", "principal")
	s := newScript(t, w, "three", "Three sides: nothing joint is in effect before the third consents.")
	plan := w.Officer(q, 0, act.KindPlan, w.Plan(vp, xp))
	yes := func(side *sessiontest.Side, to act.Signed) act.Signed {
		return w.Officer(side, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(to)})
	}
	s.order("Qasran proposes", plan, "ok")
	s.order("Velmark consents", yes(v, plan), "ok")
	s.order("Velmark's principal joins too early", w.Join(vp, "v session"), "not-in-force")
	s.order("Tessaly consents", yes(x, plan), "ok")
	s.order("Tessaly's principal joins", w.Join(xp, "t session"), "ok")
	end := w.Officer(x, 1, act.KindClose, act.Close{})
	s.order("Tessaly proposes to close", end, "ok")
	s.order("Qasran consents", yes(q, end), "ok")
	s.order("Velmark's principal joins, the session is still open", w.Join(vp, "v session"), "ok")
	s.order("Velmark consents", yes(v, end), "ok")
	return s
}

func limits(t *testing.T) *script {
	s, c := opened(t)
	s = s.then("limits", "Bounds on what one side can make the log hold.")
	w := s.World
	for i := range session.MaxOpen {
		s.order(fmt.Sprintf("Velmark proposes to close, %d", i+1), w.Officer(c.v, i%2, act.KindClose, act.Close{}), "ok")
	}
	s.order("one proposal too many", w.Officer(c.v, 0, act.KindClose, act.Close{}), "too-many")
	s.order("Qasran may still propose", w.Officer(c.q, 0, act.KindClose, act.Close{}), "ok")
	stop := act.Suspend{Reason: act.ReasonFork}
	for i := range session.MaxSuspensions {
		s.item(fmt.Sprintf("Velmark's node suspends, %d", i+1), c.v, w.Act(c.v, c.v.Node, act.KindSuspend, stop), "ok")
	}
	s.ask("one suspension too many", w.Act(c.v, c.v.Node, act.KindSuspend, stop), "too-many")
	s.item("one suspension too many, ordered without effect", c.v, w.Act(c.v, c.v.Node, act.KindSuspend, stop), "ok")
	s.item("Qasran's node may still suspend", c.q, w.Act(c.q, c.q.Node, act.KindSuspend, stop), "ok")
	big := w.By(c.vPrin, act.KindJoin, act.Join{Accreditation: c.vPrin.Signed, SessionCert: w.SessionCert(c.vPrin, "v"), KeyPackage: make([]byte, session.MaxKeyPackage+1)})
	s.order("a key package that is too large", big, "malformed")
	return s
}

// TestTooLarge: an entry above the bound is refused before it is read.
func TestTooLarge(t *testing.T) {
	st := session.New([32]byte{})
	if _, err := st.Apply(make([]byte, canon.MaxBytes+1)); problem.CodeOf(err) != problem.TooLarge {
		t.Error(err)
	}
	w := sessiontest.New(2)
	huge := w.Officer(w.Sides[0], 0, act.KindClose, act.Publish{Track: strings.Repeat("x", act.MaxAct)})
	if _, err := st.Apply(w.Entry(session.New(w.Scope), huge)); problem.CodeOf(err) != problem.UnknownSession {
		t.Error(err)
	}
	if err := session.New(w.Scope).Refuse(huge, 0); problem.CodeOf(err) != problem.TooLarge {
		t.Error(err)
	}
}

// TestHeads: the sequencer's signature must be there, and all must be by nodes of the session, once each.
func TestHeads(t *testing.T) {
	s, c, _ := inRoom(t)
	entry := s.Entry(s.state, s.Join(c.vInt, "vi"))
	term, next, _ := s.state.Head()
	v, q := s.HeadSig(c.v, term, next, entry), s.HeadSig(c.q, term, next, entry)
	stranger := s.HeadSig(sessiontest.New(3).Sides[2], term, next, entry)
	swapped := act.NodeSig{Side: v.Side, Sig: q.Sig}
	for name, x := range map[string]struct {
		sigs []act.NodeSig
		want problem.Code
	}{
		"both": {[]act.NodeSig{v, q}, ""}, "sequencer": {[]act.NodeSig{v}, ""}, "peer alone": {[]act.NodeSig{q}, problem.BadSignature},
		"none": {nil, problem.BadSignature}, "twice": {[]act.NodeSig{v, v}, problem.BadSignature},
		"stranger": {[]act.NodeSig{v, stranger}, problem.BadSignature}, "swapped": {[]act.NodeSig{swapped}, problem.BadSignature},
	} {
		checks, err := s.state.HeadChecks(entry, x.sigs)
		if err == nil {
			err = session.Verify(checks)
		}
		if x.want == "" && err != nil || x.want != "" && problem.CodeOf(err) != x.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
