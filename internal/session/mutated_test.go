package session_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/session/sessiontest"
)

// mutated is a transcript of damaged entries. It exists for the second engine: wherever the two read bytes differently, a
// hostile node could make its peer's nodes and its peer's clients disagree. Damage goes to the entry, to the act in it (signed
// anew, so that the rules behind the signature are reached) and to the body in the act.
func mutated(t *testing.T) *script {
	s, c, j := inRoom(t)
	s = s.then("mutated", "Damaged bytes at every depth: both engines read and refuse alike.")
	w := s.World
	r := rand.New(rand.NewPCG(20, 26))
	type made struct {
		name   string
		side   *sessiontest.Side
		signed act.Signed
		key    interface{ Sign(string, []byte) []byte }
	}
	bodies := func() []made {
		mic := act.Publish{Track: sessiontest.TrackID(fmt.Sprint(r.Uint64())), Source: act.SourceMicrophone, Codec: "opus"}
		return []made{
			{"publish", c.v, w.By(c.vPrin, act.KindPublish, mic), c.vPrin.Device},
			{"mute", c.v, w.By(c.vPrin, act.KindMute, act.Mute{Track: sessiontest.TrackID("none")}), c.vPrin.Device},
			{"suspend", c.q, w.Officer(c.q, 0, act.KindSuspend, act.Suspend{Reason: act.ReasonOfficer, Of: c.v.ID}), c.q.Officers[0]},
			{"commit", c.v, w.By(c.vPrin, act.KindCommit, commit("1", s.state.Group().Epoch, nil)), c.vPrin.Device},
			{"leave", c.q, w.By(c.qPrin, act.KindLeave, act.Leave{Join: sessiontest.JoinID(j["v"])}), c.qPrin.Device},
			{"admit", c.v, w.Officer(c.v, 0, act.KindAdmit, act.Admit{Format: sessiontest.FormatID, Seat: act.Seat{Side: c.v.ID, Person: fmt.Sprint("p", r.IntN(1e6)), Role: "adviser"}}), c.v.Officers[0]},
		}
	}
	damage := func(b []byte) []byte {
		b = append([]byte{}, b...)
		if len(b) == 0 {
			return []byte{byte(r.IntN(256))}
		}
		i := r.IntN(len(b))
		switch r.IntN(6) {
		case 0:
			b[i] = byte(r.IntN(256))
		case 1:
			b = b[:i]
		case 2:
			b = append(b[:i], append([]byte{byte(r.IntN(256))}, b[i:]...)...)
		case 3:
			b = append(b[:i], b[i+1:]...)
		default:
			b[i] ^= 1 << r.IntN(8)
		}
		return b
	}
	for n := range 240 {
		m := bodies()[n%6]
		depth := []string{"entry", "act", "body", "body"}[n/6%4]
		if depth != "entry" {
			var a act.Act
			if err := canon.Decode(m.signed.Act, &a); err != nil {
				t.Fatal(err)
			}
			b := m.signed.Act
			if depth == "act" {
				b = damage(b)
			} else {
				a.Body = damage(a.Body)
				b = act.Encode(a)
			}
			m.signed = act.Signed{Act: b, Sig: m.key.Sign(act.ContextAct, b)}
		}
		var a act.Act
		var item any = m.signed
		var it act.SignedOutbox
		if m.name == "mute" || m.name == "suspend" || m.name == "leave" {
			it = w.Item(m.side, m.signed)
			item = it
		}
		_ = a
		entry := w.Entry(s.state, item)
		if depth == "entry" {
			entry = damage(entry)
		}
		if s.free(fmt.Sprintf("%s, damaged in its %s", m.name, depth), entry) && it.Item != nil {
			m.side.Advance(it)
		}
	}
	return s
}

// free offers an entry of which the script does not say what should become of it, and tells whether it was accepted.
func (s *script) free(do string, entry []byte) bool {
	before := s.state.Clone()
	_, err := offer(before, entry)
	s.raw(do, entry, wantOf(err))
	return err == nil
}
