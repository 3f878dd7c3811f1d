package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// A snapshot is the ordered state after an entry, so that a start does not run the rules and the signatures of a long log
// again. It is a cache: what is wrong with it means replaying everything, never a problem.
//
// Replay without one proves every act anew, so that whoever changes the file can drop what was signed and cannot invent. A
// snapshot must not be the way around that: a state with a ghost in its roster would be believed without a signature. So
// the node signs it, over the state and over everything that it stands for: the bytes and the node signatures of every entry up to its
// index (the proof). What is skipped is exactly what this key has checked before. Another node key, another build (its
// rules may differ) or another byte anywhere below it: the snapshot is not used.

const contextSnapshot = "parley snapshot v1"

const snapshotVersion = 1

// Snapshot is a sealed state and its place. Index and Hash tell where it stands without opening it; what counts is sealed.
type Snapshot struct {
	Index uint64   // of the last entry applied
	Hash  [32]byte // of that entry
	State []byte   // canonical seal
}

type seal struct {
	Body []byte `cbor:"body"` // canonical sealed
	Sig  []byte `cbor:"sig"`  // node key, over SHA-256 of Body
}

type sealed struct {
	Version int    `cbor:"v"`
	Build   string `cbor:"build"`
	Scope   []byte `cbor:"scope"`
	Index   uint64 `cbor:"index"`
	Hash    []byte `cbor:"hash"`
	Proof   []byte `cbor:"proof"`
	State   []byte `cbor:"state"` // session.State.Snapshot
}

// Snapshot is the state after the newest entry. ok is false while anything of it is not durable yet, before entry 0, and for a
// state above session.MaxSnapshot.
func (l *Ledger) Snapshot() (s Snapshot, ok bool) {
	term, next, hash := l.state.Head()
	if l.turns.dead || len(l.turns.held) > 0 || next == 0 || term == 0 {
		return Snapshot{}, false
	}
	body := act.Encode(sealed{
		Version: snapshotVersion, Build: l.cfg.Build, Scope: l.cfg.Scope[:], Index: next - 1, Hash: hash[:], Proof: l.proof[:], State: l.state.Snapshot(),
	})
	sum := sha256.Sum256(body)
	b := act.Encode(seal{Body: body, Sig: l.cfg.Sign(contextSnapshot, sum[:])})
	return Snapshot{Index: next - 1, Hash: hash, State: b}, len(b) <= session.MaxSnapshot
}

// Resumed says how many entries a snapshot spared Replay, and why a snapshot that was there was not used.
func (l *Ledger) Resumed() (entries uint64, ignored error) { return l.resumed, l.ignored }

// resume takes a snapshot's state and remembers the entries below it, unchecked because they are the very ones that the seal names.
func (l *Ledger) resume(s Saved, now int64) error {
	snap := s.Snapshot
	if snap.Index >= uint64(len(s.Entries)) {
		return problem.New(problem.Gap, "what", "snapshot")
	}
	below := s.Entries[:snap.Index+1]
	b, err := l.unseal(*snap)
	if err != nil {
		return err
	}
	for _, e := range below {
		l.prove(e)
	}
	if b.Index != snap.Index || !bytes.Equal(b.Hash, below[snap.Index].Hash[:]) || !bytes.Equal(b.Proof, l.proof[:]) {
		return problem.New(problem.Forked, "what", "snapshot")
	}
	st, err := session.Restore(b.State)
	if err != nil {
		return problem.New(problem.WrongVersion, "what", "snapshot") // its seal is ours: another program's layout
	}
	if _, next, hash := st.Head(); next != snap.Index+1 || !bytes.Equal(hash[:], b.Hash) {
		return problem.New(problem.Forked, "what", "snapshot")
	}
	l.state, l.proof = st, [32]byte{}
	for _, e := range below {
		l.remember(e, now)
	}
	l.resumed = snap.Index + 1
	return nil
}

func (l *Ledger) unseal(snap Snapshot) (sealed, error) {
	var s seal
	var b sealed
	if err := errors.Join(canon.DecodeUpTo(snap.State, &s, session.MaxSnapshot), canon.DecodeUpTo(s.Body, &b, session.MaxSnapshot)); err != nil {
		return b, problem.New(problem.Malformed, "what", "snapshot")
	}
	if b.Version != snapshotVersion || b.Build != l.cfg.Build {
		return b, problem.New(problem.WrongVersion, "what", "snapshot")
	}
	if !bytes.Equal(b.Scope, l.cfg.Scope[:]) {
		return b, problem.New(problem.UnknownSession, "what", "snapshot")
	}
	sum := sha256.Sum256(s.Body)
	return b, l.verify(l.cfg.Key, contextSnapshot, sum[:], s.Sig, problem.BadSignature)
}

// prove extends the proof by an entry: a hash chain over everything that is kept of it, the signatures included, which the log's own chain
// does not cover.
func (l *Ledger) prove(e Entry) {
	h := sha256.New()
	sigs := act.Encode(e.Sigs)
	h.Write(l.proof[:])
	for _, n := range []uint64{e.Index, e.Term, uint64(len(e.Bytes)), uint64(len(sigs))} {
		_ = binary.Write(h, binary.BigEndian, n)
	}
	for _, b := range [][]byte{e.Hash[:], e.Bytes, sigs} {
		h.Write(b)
	}
	h.Sum(l.proof[:0])
}
