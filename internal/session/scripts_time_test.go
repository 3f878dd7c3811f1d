package session_test

import (
	"fmt"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
)

// overtime: the end of the agreed time puts nobody out and lets nobody new in, until every side has extended it.
func overtime(t *testing.T) *script {
	s, c, _ := inRoom(t)
	s = s.then("overtime", "After the agreed time: those inside go on and may reload; nobody new, no new seat; extended by every side.")
	w := s.World
	end := s.state.Until()
	extend := func(side *sessiontest.Side, until int64) act.Signed {
		return w.Officer(side, 0, act.KindExtend, act.Extend{Until: until})
	}
	yes := func(side *sessiontest.Side, to act.Signed) act.Signed {
		return w.Officer(side, 1, act.KindConsent, act.Consent{To: sessiontest.JoinID(to)})
	}
	admit := func() act.Signed {
		return w.Officer(c.v, 0, act.KindAdmit, act.Admit{Format: sessiontest.FormatID, Seat: act.Seat{Side: c.v.ID, Person: c.vGuest.ID, Role: "adviser"}})
	}
	s.order("Velmark's principal extends", w.By(c.vPrin, act.KindExtend, act.Extend{Until: end + 1}), "not-officer")
	s.order("an earlier end", extend(c.v, end-1), "already-done")
	s.order("the end that it has", extend(c.v, end), "already-done")
	s.order("an end in the past", extend(c.v, sessiontest.Start), "plan-invalid")
	w.Now = end - 1000
	seat := admit()
	s.order("a second before the end Velmark names an adviser", seat, "ok")
	hour, half := extend(c.q, end+3_600_000), extend(c.v, end+1_800_000)
	s.order("Qasran proposes an hour more", hour, "ok")
	s.order("Velmark proposes half an hour more", half, "ok")
	w.Now = end - 20
	s.raw("a millisecond before the end Qasran's interpreter joins", atTime(s, end-1, w.Join(c.qInt, "qi session")), "ok")
	s.raw("at the end Velmark's interpreter joins", atTime(s, end, w.Join(c.vInt, "vi early")), "time-over")
	w.Now = end
	s.order("Qasran consents to the adviser", yes(c.q, seat), "proposal-lapsed")
	s.order("another adviser", admit(), "time-over")
	s.order("Velmark's principal reloads", w.Join(c.vPrin, "v session 2"), "ok")
	s.item("Qasran's interpreter leaves", c.q, w.By(c.qInt, act.KindLeave, act.Leave{Join: joinOf(s, c.qInt)}), "ok")
	s.order("Qasran's interpreter comes back", w.Join(c.qInt, "qi session 2"), "time-over")
	s.item("Qasran's node loses its principal", c.q, w.Act(c.q, c.q.Node, act.KindLost, act.Lost{Join: joinOf(s, c.qPrin)}), "ok")
	s.order("Qasran's principal, who was lost, comes back", w.Join(c.qPrin, "q session 2"), "ok")
	s.order("Velmark's principal shows a screen", w.By(c.vPrin, act.KindPublish, act.Publish{Track: sessiontest.TrackID("vs"), Source: act.SourceScreen, Codec: "vp9"}), "ok")
	s.item("Velmark's officer suspends", c.v, w.Officer(c.v, 0, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer}), "ok")
	again := w.Officer(c.q, 0, act.KindResume, act.Resume{})
	s.order("Qasran proposes to go on", again, "ok")
	s.order("Velmark consents to go on", yes(c.v, again), "ok")
	s.order("Velmark consents to the hour", yes(c.v, hour), "ok")
	s.order("Qasran consents to the half hour: it cannot shorten", yes(c.q, half), "already-done")
	s.order("Velmark's interpreter joins", w.Join(c.vInt, "vi session"), "ok")
	s.order("an adviser again", admit(), "ok")
	return s
}

// lapsing: a proposal that nobody answered within an hour of the log's clock is gone, and no longer in the way of others.
func lapsing(t *testing.T) *script {
	w := sessiontest.New(2)
	c := newCast(w)
	s := newScript(t, w, "lapsing", "Proposals lapse: a plan with its time, the others after an hour of the log's clock.")
	late := w.Officer(c.v, 0, act.KindPlan, w.Plan(c.seated()...))
	s.order("Velmark proposes a plan", late, "ok")
	probe := s.state.Clone()
	w.Now = s.state.Until()
	if _, err := offer(probe, w.Entry(probe, w.Officer(c.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(late)}))); wantOf(err) != "proposal-lapsed" {
		t.Error("a plan agreed after its time", err)
	}
	w.Now = sessiontest.Start + 1000
	s.order("Qasran agrees", w.Officer(c.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(late)}), "ok")
	made := w.Now
	var ends []act.Signed
	for i := range session.MaxOpen {
		ends = append(ends, w.Officer(c.v, 0, act.KindClose, act.Close{}))
		s.order(fmt.Sprintf("Velmark proposes to close, %d", i+1), ends[i], "ok")
	}
	s.order("one proposal too many", w.Officer(c.v, 0, act.KindClose, act.Close{}), "too-many")
	w.Now = made + session.ProposalStands + 60_000
	s.order("an hour later Qasran consents", w.Officer(c.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(ends[0])}), "proposal-lapsed")
	fresh := w.Officer(c.v, 0, act.KindClose, act.Close{})
	s.order("Velmark proposes anew", fresh, "ok")
	s.order("Qasran consents to that", w.Officer(c.q, 0, act.KindConsent, act.Consent{To: sessiontest.JoinID(fresh)}), "ok")
	return s
}

// manyTracks: one device announces without end and is stopped; the others of its side are not.
func manyTracks(t *testing.T) *script {
	s, c, _ := inRoom(t)
	s = s.then("many-tracks", "What one person announces is bounded within a minute, whatever is withdrawn and however often it joins.")
	w := s.World
	pub := func(p *sessiontest.Person, name string) act.Signed {
		return w.By(p, act.KindPublish, act.Publish{Track: sessiontest.TrackID(name), Source: act.SourceScreen, Codec: "vp9"})
	}
	for i := range session.MaxTracksSoon {
		name := fmt.Sprint("v", i)
		s.order("Velmark's principal shows a screen: "+name, pub(c.vPrin, name), "ok")
		s.item("and withdraws it", c.v, w.By(c.vPrin, act.KindWithdraw, act.Withdraw{Track: sessiontest.TrackID(name)}), "ok")
	}
	s.order("one too many in a minute", pub(c.vPrin, "more"), "too-many")
	s.order("Velmark's principal joins anew", w.Join(c.vPrin, "v session 2"), "ok")
	s.order("one too many all the same", pub(c.vPrin, "more"), "too-many")
	s.order("Velmark's interpreter joins", w.Join(c.vInt, "vi session"), "ok")
	s.order("and may show one", pub(c.vInt, "vi"), "ok")
	w.Now += session.TracksSoon
	s.order("a minute later the principal may, too", pub(c.vPrin, "more"), "ok")
	return s
}

// atTime is the next entry at an exact time.
func atTime(s *script, at int64, signed act.Signed) []byte {
	term, next, hash := s.state.Head()
	return act.Encode(act.Entry{Version: 1, Scope: s.Scope[:], Term: term, Index: next, Prev: hash[:], At: at, From: act.ItemAct, Item: act.Encode(signed)})
}

func joinOf(s *script, p *sessiontest.Person) []byte {
	m, _ := s.state.MemberOfDevice(p.Device.Public())
	return m.Join
}

// TestTracksEver: the bound over a session's whole life.
func TestTracksEver(t *testing.T) {
	s, c, _ := inRoom(t)
	for i := range session.MaxTracksEver + 1 {
		s.Now += session.TracksSoon / 8
		name := fmt.Sprint("v", i)
		want := "ok"
		if i == session.MaxTracksEver {
			want = "too-many"
		}
		s.order(name, s.By(c.vPrin, act.KindPublish, act.Publish{Track: sessiontest.TrackID(name), Source: act.SourceScreen, Codec: "vp9"}), want)
		if want == "ok" {
			s.item("withdraws", c.v, s.By(c.vPrin, act.KindWithdraw, act.Withdraw{Track: sessiontest.TrackID(name)}), "ok")
		}
	}
}
