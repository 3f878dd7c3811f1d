package seat

import (
	"context"
	"net/netip"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/wire/signalpb"
)

// People is the side's registry as a seat sees it.
type People interface {
	// Admit says who a proved device is. Shown is the accreditation that the device brought, empty if it has none; the registry
	// prefers a newer one of its own. No accreditation at all is no error: the Device is then a stranger's.
	Admit(ctx context.Context, device [32]byte, shown []byte) (Device, error)
	// Enrol keeps a stranger's request from an address, or returns the one that the device has.
	Enrol(ctx context.Context, e store.Enrolment, from netip.Addr) (store.Enrolment, error)
	// Enrolled is the device's last request, or store.ErrNotFound.
	Enrolled(ctx context.Context, device [32]byte) (store.Enrolment, error)
}

// onProve checks the signature over the challenge, then who the device is. The node's key is under the signature, so that a
// node in the middle cannot pass a challenge of another node on.
func (s *Seat) onProve(ctx context.Context, p *signalpb.Prove, reply func(*signalpb.ToClient)) error {
	if s.stage != stageChallenged {
		return fatal(problem.New(problem.OutOfOrder, "got", "prove"))
	}
	g := s.cfg.Greeting()
	message := append(append(append([]byte(nil), s.nonce...), g.Node...), s.hello.Device...)
	s.nonce = nil
	if err := ident.VerifyEd25519(s.hello.Device, ident.ContextChallenge, message, p.Signature); err != nil {
		return fatal(problem.New(problem.BadSignature, "what", "challenge"))
	}
	key := [32]byte(s.hello.Device)
	device, err := s.cfg.People.Admit(ctx, key, s.hello.Accreditation)
	if err != nil {
		s.refused(key, err)
		return fatal(err)
	}
	s.mu.Lock()
	s.device = device
	s.mu.Unlock()
	s.stage = stageStranger
	if device.Accredited() || device.Officer() {
		s.stage = stageAdmitted
	}
	w := &signalpb.Welcome{Accreditation: device.Signed, Officer: device.Officer(), Side: g.Side, NodeBuild: g.Build, Bundle: g.Bundle}
	if s.stage == stageAdmitted {
		w.Sessions = s.cfg.Sessions.List(device)
		w.Ice = g.Ice(key[:])
	}
	reply(&signalpb.ToClient{Body: &signalpb.ToClient_Welcome{Welcome: w}})
	s.cfg.Hub.add(s)
	if s.stage == stageAdmitted {
		s.Push(&signalpb.ToClient{Body: &signalpb.ToClient_Link{Link: &signalpb.LinkStatus{Links: s.cfg.Links.Status(ctx)}}})
		return nil
	}
	if e, err := s.cfg.People.Enrolled(ctx, key); err == nil {
		s.Push(EnrolmentState(e))
	}
	return nil
}

// refused writes one line per refused device and reason, at most one a minute: a device that retries is not an alarm. And ten of a network: a
// stranger that makes up devices must not push everything else out of the log.
func (s *Seat) refused(key [32]byte, err error) {
	code := string(problem.CodeOf(err))
	now := s.cfg.Now()
	if s.cfg.Hub.refusals.Allow(string(key[:])+code, now) && s.cfg.Hub.lines.Allow(s.sock.Remote(), now) {
		s.cfg.Security("refused", "", code+" device "+Device{Key: key}.Short()+" from "+s.sock.Remote().String())
	}
}
