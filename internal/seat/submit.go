package seat

import (
	"bytes"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// onSubmit hands an act to its scope. A seat passes on only what its own device signed: an act of somebody else, however well
// signed, has no business on this socket.
func (s *Seat) onSubmit(m *signalpb.Submit, id uint64, reply func(*signalpb.ToClient)) error {
	scope, err := scopeOf(m.Scope)
	if err != nil {
		return err
	}
	if len(m.Act) > act.MaxAct {
		return problem.New(problem.TooLarge, "what", "act")
	}
	if !s.asks.AllowN(s.cfg.Now(), 1) {
		return problem.New(problem.TooMany, "what", "acts")
	}
	var signed act.Signed
	var a act.Act
	if canon.Decode(m.Act, &signed) != nil || canon.Decode(signed.Act, &a) != nil {
		return problem.New(problem.Malformed, "what", "act")
	}
	d := s.Device()
	if !bytes.Equal(a.Key, d.Key[:]) {
		return problem.New(problem.NotYours, "what", "act")
	}
	if !bytes.Equal(a.Scope, scope[:]) {
		return problem.New(problem.UnknownSession)
	}
	s.cfg.Sessions.Submit(d, scope, m.Act, func(actID []byte, index uint64, err error) {
		if err == nil {
			if a.Kind == act.KindLeave {
				s.left.Store(true)
			}
			reply(ack(actID, index))
			return
		}
		p := asProblem(err)
		p.Scope, p.Act = scope[:], actID
		if p.Code == string(problem.Internal) {
			s.cfg.Log.Error("an act could not be taken", "error", err)
		}
		s.Push(&signalpb.ToClient{ReplyTo: id, Body: &signalpb.ToClient_Problem{Problem: p}})
	})
	return nil
}
