package session

import (
	"bytes"
	"crypto/sha256"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
)

// step is one run of the rules over one act. m is a copy that is thrown away on an error.
type step struct {
	m       *model
	seen    map[act.ID]bool
	at      int64  // ms, of the entry or outbox item
	term    uint64 // of the entry
	ids     []act.ID
	checks  []Check
	effects []Effect
}

// rule is what one kind of act does. unilateral acts come by an outbox and by nothing else.
type rule struct {
	run        func(*step, decoded) error
	unilateral bool
}

func ruleOf(k act.Kind) (rule, bool) {
	switch k {
	case act.KindPlan:
		return rule{run: (*step).plan}, true
	case act.KindConsent:
		return rule{run: (*step).consent}, true
	case act.KindAdmit:
		return rule{run: (*step).admit}, true
	case act.KindJoin:
		return rule{run: (*step).join}, true
	case act.KindLeave:
		return rule{(*step).leave, true}, true
	case act.KindLost:
		return rule{(*step).lost, true}, true
	case act.KindPublish:
		return rule{run: (*step).publish}, true
	case act.KindWithdraw:
		return rule{(*step).withdraw, true}, true
	case act.KindMute:
		return rule{(*step).mute, true}, true
	case act.KindUnmute:
		return rule{run: (*step).unmute}, true
	case act.KindSuspend:
		return rule{(*step).suspend, true}, true
	case act.KindResume:
		return rule{run: (*step).resume}, true
	case act.KindClose:
		return rule{run: (*step).close}, true
	case act.KindExtend:
		return rule{run: (*step).extend}, true
	case act.KindRevoke:
		return rule{(*step).revoke, true}, true
	case act.KindGroupNew:
		return rule{run: (*step).groupNew}, true
	case act.KindCommit:
		return rule{run: (*step).commit}, true
	case act.KindTerm:
		return rule{run: (*step).newTerm}, true
	}
	return rule{}, false
}

// Unilateral says whether acts of a kind go to the outbox of their own node.
func Unilateral(k act.Kind) bool {
	r, ok := ruleOf(k)
	return ok && r.unilateral
}

// direct runs an act that an entry holds by itself.
func (s *step) direct(item []byte) error {
	a, err := decodeSigned(item)
	if err != nil {
		return err
	}
	if Unilateral(a.Kind) {
		return problem.New(problem.Malformed, "what", "unilateral-outside-outbox")
	}
	if err := s.quota(a); err != nil {
		return err
	}
	if err := s.run(a); err != nil {
		return err
	}
	s.m.side(a.Side).Acts += len(s.ids)
	return nil
}

// quota refuses acts of a side beyond its share of the log. It is no reason for a void: voids would fill the log as well. A stolen
// device that mutes and unmutes for a quarter of an hour must not use up what its own revocation needs. And since people's direct acts
// end first, none can be ordered in the last moment before an item that its node has written already, and make it one too many.
func (s *step) quota(a decoded) error {
	sd := s.m.side(a.Side)
	if sd == nil {
		return nil
	}
	most := MaxActs
	switch {
	case bytes.Equal(sd.Node, a.Key), sd.officer(a.Key) != nil:
	case Unilateral(a.Kind):
		most -= KeptActs
	default:
		most -= 2 * KeptActs
	}
	if sd.Acts >= most {
		return problem.New(problem.TooMany, "what", "acts")
	}
	return nil
}

// outbox runs an outbox item. Its place in its node's chain is checked as strictly as an entry's place in the log.
func (s *step) outbox(item []byte) error {
	o, signed, err := decodeOutbox(item)
	if err != nil {
		return err
	}
	sd := s.m.side(o.Side)
	switch {
	case !bytes.Equal(o.Scope, s.m.Scope):
		return problem.New(problem.UnknownSession)
	case sd == nil:
		return problem.New(problem.NotYours)
	case o.Seq > sd.OutSeq:
		return problem.New(problem.Gap)
	case o.Seq < sd.OutSeq:
		return problem.New(problem.Replayed)
	case !bytes.Equal(o.Prev, sd.OutPrev):
		return problem.New(problem.Forked)
	}
	a, err := decodeSigned(o.Act)
	if err != nil {
		return err
	}
	if !Unilateral(a.Kind) {
		return problem.New(problem.Malformed, "what", "joint-in-outbox")
	}
	if !bytes.Equal(a.Side, o.Side) {
		return problem.New(problem.NotYours)
	}
	if err := s.quota(a); err != nil {
		return err
	}
	hash := sha256.Sum256(signed.Item)
	s.check(Ed25519, sd.Node, act.ContextOutbox, signed.Item, signed.Sig, "outbox", problem.BadSignature)
	before := s.m.clone()
	if err := s.run(a); err != nil {
		code := problem.CodeOf(err)
		if !overtaken(code) {
			return err
		}
		s.m, s.effects = before, nil
		if !s.seen[a.id] {
			s.ids = []act.ID{a.id}
		}
		s.effect(Effect{Kind: EffectVoid, Act: a.id, Side: a.Side, Code: code})
	}
	sd = s.m.side(o.Side)
	sd.OutSeq, sd.OutPrev, sd.Acts = o.Seq+1, hash[:], sd.Acts+len(s.ids)
	return nil
}

// overtaken lists the refusals that an honest node could not foresee when it put an act in its outbox.
func overtaken(c problem.Code) bool {
	switch c {
	case problem.NotJoined, problem.NoSuchTrack, problem.AlreadyDone, problem.SessionClosed, problem.NotInForce,
		problem.Replayed, problem.TooMany, problem.AccreditationExpired, problem.AccreditationEarly:
		return true
	}
	return false
}

// run checks what every act must be, then runs its rule.
func (s *step) run(a decoded) error {
	r, ok := ruleOf(a.Kind)
	switch {
	case !ok:
		return problem.New(problem.Malformed, "what", "kind")
	case !bytes.Equal(a.Scope, s.m.Scope):
		return problem.New(problem.UnknownSession)
	}
	s.check(Ed25519, a.Key, act.ContextAct, a.raw, a.sig, "act", problem.BadSignature)
	switch {
	case s.seen[a.id]:
		return problem.New(problem.Replayed)
	case a.Kind == act.KindPlan && s.m.Next != 0:
		return problem.New(problem.AlreadyDone)
	case a.Kind != act.KindPlan && s.m.Next == 0:
		return problem.New(problem.NotInForce)
	case s.m.Next != 0 && s.m.side(a.Side) == nil:
		return problem.New(problem.NotYours)
	}
	s.ids = append(s.ids, a.id)
	return r.run(s, a)
}

func (s *step) check(alg string, key []byte, context string, b, sig []byte, what string, code problem.Code) {
	s.checks = append(s.checks, Check{Alg: alg, Key: key, Message: canon.Message(context, b), Signature: sig, What: what, Code: code})
}

func (s *step) effect(e Effect) { s.effects = append(s.effects, e) }

// inForce refuses acts before the plan is agreed and after the close.
func (s *step) inForce() error {
	switch s.m.phase() {
	case PhaseClosed:
		return problem.New(problem.SessionClosed)
	case PhaseNone, PhasePlanned:
		return problem.New(problem.NotInForce)
	}
	return nil
}

// running refuses what a suspended session does not allow, too.
func (s *step) running() error {
	if err := s.inForce(); err != nil {
		return err
	}
	if s.m.phase() == PhaseSuspended {
		return problem.New(problem.SessionSuspended)
	}
	return nil
}

// officer requires the author to be an officer of its side, with a certificate in force.
func (s *step) officer(a decoded) error {
	sd := s.m.side(a.Side)
	if sd == nil {
		return problem.New(problem.NotYours)
	}
	o := sd.officer(a.Key)
	if o == nil {
		return problem.New(problem.NotOfficer)
	}
	return ident.InForce(o.From, o.Until, s.at)
}

// author requires the author to be a live member, and of the side it names.
func (s *step) author(a decoded) (*Member, error) {
	j := s.m.liveDevice(a.Key)
	if j == nil {
		return nil, problem.New(problem.NotJoined)
	}
	if !bytes.Equal(j.Side, a.Side) {
		return nil, problem.New(problem.NotYours)
	}
	return j, nil
}

// byOfficer reads the body of an act that only an officer may do, and only between the plan's agreement and the close.
func byOfficer[T any](s *step, a decoded) (T, error) {
	b, err := body[T](a)
	if err == nil {
		err = s.officer(a)
	}
	if err == nil {
		err = s.inForce()
	}
	return b, err
}
