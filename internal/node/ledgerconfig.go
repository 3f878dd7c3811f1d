package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"path/filepath"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/config"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/store"
)

// ledgerConfig is what every log of this node is kept with.
func (n *Node) ledgerConfig() ledger.Config {
	return ledger.Config{
		Own: n.side().ID, Key: n.key.Public(), Sign: n.key.Sign, Verify: session.Verify, Validate: validate, Build: config.Version,
		Nonce: func() (b [act.NonceSize]byte) {
			_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
			return b
		},
	}
}

// host is what plans are held against: this node's own keys, and the link cards that people compared.
func (n *Node) host() ledger.Host {
	s := n.side()
	return ledger.Host{Own: s.ID, Key: n.key.Public(), Delegation: canon.Encode(s.Key), Config: n.ledgerConfig(), Known: n.known}
}

// known tells which node key the card of a side pins. A card that has ended pins nothing.
func (n *Node) known(s ledger.Side) (nodeKey []byte, verified bool) {
	l, err := n.store.LinkOf(context.Background(), s)
	if err != nil {
		return nil, false
	}
	card, err := side.CheckCard(l.Card, millis(time.Now()))
	if err != nil || !bytes.Equal(card.Side, s[:]) {
		return nil, false
	}
	return card.NodeCert.Key, l.Verified.How != ""
}

var nodeStopping = problem.New(problem.NodeStopping)

func openStore(ctx context.Context, dir string) (*store.Store, error) {
	path := filepath.Join(dir, storeFile)
	st, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return nil, opening(path, err)
	}
	return st, nil
}

func noteTo(ctx context.Context, st *store.Store, kind, person, detail string) {
	_ = st.Log(ctx, store.SecurityLine{At: millis(time.Now()), Kind: kind, Person: person, Detail: detail})
}

// introductionOf is what the peer says of its side in its hello or later, if it holds against the card that was compared by hand. Officers
// put it into a plan, where both sides sign it.
func (n *Node) introductionOf(ctx context.Context, from ledger.Side, said []byte) []byte {
	if len(said) == 0 {
		return nil
	}
	row, err := n.store.LinkOf(ctx, from)
	if err != nil {
		return nil
	}
	card, err := side.CheckCard(row.Card, millis(time.Now()))
	if err != nil {
		return nil
	}
	var p act.PlanSide
	if canon.Decode(said, &p) != nil || !bytes.Equal(p.ID, from[:]) || !bytes.Equal(p.Delegation, card.Delegation) {
		n.security(store.SecurityLine{Kind: "introduction-refused", Side: from})
		return nil
	}
	b := side.Bundle{Version: 1, Name: p.Name, Language: p.Language, Delegation: p.Delegation, Node: p.Node, Officers: p.Officers}
	if _, err := b.Check(millis(time.Now())); err != nil {
		n.security(store.SecurityLine{Kind: "introduction-refused", Side: from, Detail: string(problem.CodeOf(err))})
		return nil
	}
	return said
}
