package node

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/link"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/wire/signalpb"
)

// How a link card's fingerprint may have been compared. A third word would have to be explained to people.
const (
	InPerson      = "in-person"
	Demonstration = "demonstration"
)

// Cards keeps the link cards of other sides: on a running node, or on its store while it does not run.
type Cards struct {
	store *store.Store
	own   func() side.Checked
	now   func() time.Time
	note  func(kind, person, detail string)
	// changed is told after every change. Nil on a node that does not run.
	changed  func(ctx context.Context)
	endpoint *link.Endpoint // nil on a node that does not run

	mu    sync.Mutex
	intro map[[32]byte][]byte // canonical act.PlanSide from the peer's hello
	ever  map[[32]byte]bool   // was up since this node started
}

// Add checks a card's signatures and keeps it, unverified. Address overrides the card's own.
func (c *Cards) add(ctx context.Context, by string, card []byte, address string) (side.PeerCard, error) {
	now := c.now().UnixMilli()
	p, err := side.CheckCard(card, now)
	if err != nil {
		return p, cardProblem(err)
	}
	if bytes.Equal(p.Side, ownID(c.own())) {
		return p, problem.New(problem.NotYours, "what", "own-card")
	}
	if address == "" {
		address = p.Address
	}
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return p, problem.New(problem.Malformed, "what", "address")
	}
	id := [32]byte(p.Side)
	if old, err := c.store.LinkOf(ctx, id); err == nil && old.Verified.How != "" && !bytes.Equal(old.Card, card) {
		// The store drops the verification with the old card; somebody should know that a card was replaced.
		c.note("link-card-replaced", by, fmt.Sprintf("side %x", id[:4]))
	}
	if err := c.store.SaveLink(ctx, store.Link{Side: id, Card: card, Address: address, Added: now}); err != nil {
		return p, fmt.Errorf("keep a link card: %w", err)
	}
	c.note("link-card-added", by, fmt.Sprintf("side %x", id[:4]))
	c.tell(ctx)
	return p, nil
}

func cardProblem(err error) error {
	if errors.Is(err, ident.ErrSignature) {
		return problem.New(problem.BadSignature, "what", "link-card")
	}
	var e *problem.Error
	if errors.As(err, &e) {
		return err
	}
	return problem.New(problem.Malformed, "what", "link-card")
}

// verify compares what a hand typed with the fingerprint of the card that is kept. Wrong stores nothing.
func (c *Cards) verify(ctx context.Context, by, how string, id []byte, typed string) error {
	if how != InPerson && how != Demonstration {
		return problem.New(problem.Malformed, "what", "how")
	}
	if len(id) != 32 {
		return problem.New(problem.Malformed, "what", "side")
	}
	l, err := c.store.LinkOf(ctx, [32]byte(id))
	if err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return problem.New(problem.LinkUnknownKey)
		}
		return err
	}
	p, err := side.CheckCard(l.Card, c.now().UnixMilli())
	if err != nil {
		return cardProblem(err)
	}
	if !p.Fingerprint.Matches(typed) {
		c.note("fingerprint-wrong", by, fmt.Sprintf("side %x", id[:4]))
		return problem.New(problem.FingerprintWrong)
	}
	v := store.Verification{How: how, At: c.now().UnixMilli(), By: by}
	if err := c.store.VerifyLink(ctx, [32]byte(id), l.Card, v); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return problem.New(problem.FingerprintWrong) // the card was replaced meanwhile
		}
		return err
	}
	c.note("link-verified", by, fmt.Sprintf("side %x, %s", id[:4], how))
	c.tell(ctx)
	return nil
}

func (c *Cards) tell(ctx context.Context) {
	if c.changed != nil {
		c.changed(ctx)
	}
}

// find names a side by its id, the beginning of it, or its name in any language.
func (c *Cards) find(ctx context.Context, name string) ([]byte, error) {
	rows, err := c.store.Links(ctx)
	if err != nil {
		return nil, err
	}
	var hits [][]byte
	for _, l := range rows {
		p, err := side.CheckCard(l.Card, 0)
		_ = err // an expired card still has a name
		named := len(name) >= 4 && strings.HasPrefix(fmt.Sprintf("%x", l.Side[:]), strings.ToLower(name))
		for _, n := range p.Name {
			named = named || strings.EqualFold(n, name)
		}
		if named {
			hits = append(hits, l.Side[:])
		}
	}
	if len(hits) != 1 {
		return nil, problem.New(problem.LinkUnknownKey, "found", fmt.Sprint(len(hits)))
	}
	return hits[0], nil
}

// peers are the sides that the link may speak with.
func (c *Cards) peers(ctx context.Context) ([]link.Peer, error) {
	rows, err := c.store.Links(ctx)
	if err != nil {
		return nil, err
	}
	var out []link.Peer
	for _, l := range rows {
		p, err := side.CheckCard(l.Card, c.now().UnixMilli())
		if err != nil {
			continue // expired: Status says so
		}
		out = append(out, link.Peer{
			Side: l.Side, Delegation: p.Key, NodeKeys: []ed25519.PublicKey{p.NodeCert.Key}, Address: l.Address,
			Verified: l.Verified.How != "", How: l.Verified.How,
		})
	}
	return out, nil
}

// Status implements seat.Links.
func (c *Cards) Status(ctx context.Context) []*signalpb.Link {
	rows, err := c.store.Links(ctx)
	if err != nil {
		return nil
	}
	var out []*signalpb.Link
	for _, l := range rows {
		out = append(out, c.status(l))
	}
	return out
}

func (c *Cards) status(l store.Link) *signalpb.Link {
	card, err := side.CheckCard(l.Card, c.now().UnixMilli())
	r := &signalpb.Link{
		Side: l.Side[:], Name: card.Name, State: "never", Verified: "not-verified",
		VerifiedAt: l.Verified.At, VerifiedBy: l.Verified.By,
	}
	if l.Verified.How != "" {
		r.Verified = l.Verified.How
	}
	if err != nil {
		r.Problem = string(problem.CodeOf(cardProblem(err)))
	}
	if c.endpoint == nil {
		return r
	}
	c.mu.Lock()
	ever := c.ever[l.Side]
	r.Introduction = c.intro[l.Side]
	c.mu.Unlock()
	s := c.endpoint.Status(l.Side)
	switch s.State {
	case link.StateUp:
		r.State = "up"
	case link.StateDown:
		if ever {
			r.State = "down"
		}
	}
	if !s.Since.IsZero() {
		r.Since = s.Since.UnixMilli()
	}
	r.RttUs = s.RTT.Microseconds()
	if s.Problem != "" {
		r.Problem = string(s.Problem)
	}
	return r
}

// met remembers that a link was up, and what the peer said of itself.
func (c *Cards) met(id [32]byte, intro []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ever[id] = true
	if len(intro) > 0 {
		c.intro[id] = intro
	}
}

// Add implements seat.Links.
func (c *Cards) Add(ctx context.Context, by seat.Device, card []byte, address string) error {
	if raw, err := side.CardText(card); err == nil {
		card = raw // an officer may hand over the text as it came
	}
	_, err := c.add(ctx, by.Person(), card, address)
	return err
}

// Verify implements seat.Links.
func (c *Cards) Verify(ctx context.Context, by seat.Device, id []byte, typed string) error {
	return c.verify(ctx, by.Person(), InPerson, id, typed)
}

func ownID(c side.Checked) []byte { return c.ID[:] }
