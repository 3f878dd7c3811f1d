package native

import (
	"bytes"
	"errors"
	"fmt"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/signalpb"
)

// Log is a scope's log as one device checks it. It applies an entry only with the sequencer's signature and its own node's, so
// that showing two people different histories needs both nodes. One goroutine owns it.
type Log struct {
	State *session.State
	side  []byte
	node  []byte // the key our node proved at the socket's opening
	deleg []byte // canonical ident.DelegationKey of our side

	held   []held
	signed map[string]uint64 // by side: entries that its node has signed, counted from the first
	ahead  [][]byte          // outbox items of our own node that came before what they stand on
}

// NewLog is an empty log. Delegation is the side's own, pinned when the device was accredited.
func NewLog(scope [32]byte, side, node, delegation []byte) *Log {
	return &Log{State: session.New(scope), side: side, node: node, deleg: delegation}
}

// Next is the index of the next entry wanted.
func (l *Log) Next() uint64 { _, next, _ := l.State.Head(); return next }

// Entry checks one pushed entry and applies it. An entry already applied gives nothing. An error is final for this log: the
// node has shown something that cannot be true, or skipped.
func (l *Log) Entry(e *signalpb.Entry) ([]session.Effect, error) {
	var raw act.Entry
	if err := canon.Decode(e.Entry, &raw); err != nil {
		return nil, problem.New(problem.Malformed, "what", "entry")
	}
	sigs := make([]act.NodeSig, len(e.Signatures))
	for i, s := range e.Signatures {
		sigs[i] = act.NodeSig{Side: s.Side, Sig: s.Signature}
	}
	if raw.Index < l.Next() {
		return nil, l.again(raw, e.Entry, sigs)
	}
	checks, err := l.State.Checks(e.Entry)
	if err != nil {
		return nil, err
	}
	heads, err := l.State.HeadChecks(e.Entry, sigs)
	if err != nil {
		return nil, err
	}
	if !session.HasSig(sigs, l.side) {
		return nil, problem.New(problem.BadSignature, "what", "own-node")
	}
	if err := session.Verify(append(checks, heads...)); err != nil {
		return nil, err
	}
	if raw.Index == 0 {
		if err := l.pin(raw.Item); err != nil {
			return nil, err
		}
	}
	effects, err := l.State.Apply(e.Entry)
	if err != nil {
		return nil, err
	}
	l.keep(e.Entry, sigs)
	return effects, l.retry()
}

// pin refuses a plan that names another delegation key or another node for our own side than those we know.
func (l *Log) pin(item []byte) error {
	var s act.Signed
	var a act.Act
	var p act.Plan
	if err := errors.Join(canon.Decode(item, &s), canon.Decode(s.Act, &a), canon.Decode(a.Body, &p)); err != nil {
		return problem.New(problem.Malformed, "what", "plan")
	}
	for _, sd := range p.Sides {
		if !bytes.Equal(sd.ID, l.side) {
			continue
		}
		cert, _, err := ident.Open[ident.NodeCert](sd.Node)
		if err != nil || !bytes.Equal(sd.Delegation, l.deleg) || !bytes.Equal(cert.Key, l.node) {
			return problem.New(problem.LinkSwappedKey)
		}
		return nil
	}
	return problem.New(problem.NotSeated)
}

// Outbox puts items of our own node in effect before they are ordered.
func (l *Log) Outbox(items [][]byte) error {
	if len(l.ahead)+len(items) > 1024 {
		return problem.New(problem.TooMany, "what", "outbox")
	}
	l.ahead = append(l.ahead, items...)
	return l.retry()
}

func (l *Log) retry() error {
	if l.Next() == 0 {
		return nil
	}
	var left [][]byte
	for _, raw := range l.ahead {
		var s act.SignedOutbox
		if err := canon.Decode(raw, &s); err != nil {
			return problem.New(problem.Malformed, "what", "outbox")
		}
		checks, err := l.State.OverlayChecks(s)
		if problem.CodeOf(err) == problem.Gap || problem.CodeOf(err) == problem.OutOfOrder {
			left = append(left, raw) // what it stands on is still to come
			continue
		}
		if err == nil {
			err = session.Verify(checks)
		}
		if err == nil {
			err = l.State.Overlay(s)
		}
		if err != nil {
			return fmt.Errorf("put an outbox item in effect: %w", err)
		}
	}
	l.ahead = left
	return nil
}
