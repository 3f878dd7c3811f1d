package seat

import (
	"crypto/rand"
	"fmt"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// Bounds of what a device says of itself before it has proved anything.
const (
	maxAccreditation = 2 * ident.MaxChain
	maxLanguage      = 35 // RFC 5646 §4.4.1
	maxBuild         = 128
)

// onHello settles the version and sends a nonce. What the device may do is said only after it has proved its key: whether a
// device is known, expired or revoked is nobody else's business.
func (s *Seat) onHello(h *signalpb.Hello, reply func(*signalpb.ToClient)) error {
	if s.stage != stageNew {
		return fatal(problem.New(problem.OutOfOrder, "got", "hello"))
	}
	if len(h.Device) != 32 || len(h.Accreditation) > maxAccreditation || len(h.Language) > maxLanguage || len(h.ClientBuild) > maxBuild {
		return fatal(problem.New(problem.Malformed, "what", "hello"))
	}
	version := min(h.ProtocolMax, ProtocolMax)
	if version < max(h.ProtocolMin, ProtocolMin) {
		return fatal(problem.New(problem.WrongVersion, "theirs", span(h.ProtocolMin, h.ProtocolMax), "ours", span(ProtocolMin, ProtocolMax)))
	}
	nonce := make([]byte, 32)
	if _, err := rand.Read(nonce); err != nil {
		return fatal(fmt.Errorf("make a challenge: %w", err))
	}
	s.hello, s.nonce, s.stage = h, nonce, stageChallenged
	g := s.cfg.Greeting()
	reply(&signalpb.ToClient{Body: &signalpb.ToClient_Challenge{Challenge: &signalpb.Challenge{
		Nonce: nonce, Node: g.Node, Side: g.Side.Id, Now: s.cfg.Now().UnixMilli(), Protocol: version,
	}}})
	return nil
}

func span(lo, hi uint32) string { return fmt.Sprintf("%d-%d", lo, hi) }
