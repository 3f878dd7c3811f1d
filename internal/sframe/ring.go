package sframe

import (
	"errors"
	"time"
)

// OldKeyLife is how long a receive key outlives the epoch that replaced it.
const OldKeyLife = 10 * time.Second

// maxCounter ends a key long before AES-GCM's limits.
const maxCounter = 1 << 32

// Verdict is what became of a frame.
type Verdict uint8

// Verdicts of Ring.Open.
const (
	Opened Verdict = iota
	Malformed
	WrongLeaf
	WrongContext
	NoKey
	Replayed
	TooOld
	Forged
	Verdicts // how many there are
)

var verdictNames = [...]string{"opened", "malformed", "wrong-leaf", "wrong-context", "no-key", "replayed", "too-old", "forged"}

func (v Verdict) String() string {
	if v >= Verdicts {
		return "unknown"
	}
	return verdictNames[v]
}

// Errors of Ring.Seal.
var (
	ErrNoSendKey = errors.New("sframe: no send key")
	ErrStopped   = errors.New("sframe: sending is stopped")
	ErrExhausted = errors.New("sframe: counter exhausted")
)

// Ring holds the keys of one scope's group. It takes now and owns no timer. Not for use by several goroutines.
type Ring struct {
	redacted
	newest   *epochKeys
	receive  map[uint8]*epochKeys
	send     *epochKeys
	stopped  bool
	counters map[sendKey]*counter
}

type epochKeys struct {
	epoch   uint64
	leaf    uint32 // own: a member that was removed and added again sits elsewhere
	base    BaseKey
	keys    map[uint64]*openKey
	expires time.Time // zero for the newest epoch
}

type openKey struct {
	key    *FrameKey
	window window
}

type sendKey struct {
	epoch   uint64
	context uint16
}

type counter struct {
	key  *FrameKey
	next uint64
}

// NewRing is the ring of one group. A new group needs a new ring: its epochs start again.
func NewRing() *Ring {
	return &Ring{receive: map[uint8]*epochKeys{}, counters: map[sendKey]*counter{}}
}

// Install takes an epoch's base key, for receiving at once; leaf is the own leaf in that epoch. Older epochs are ignored.
func (r *Ring) Install(epoch uint64, leaf uint32, base BaseKey, now time.Time) {
	if r.newest != nil && epoch <= r.newest.epoch {
		return
	}
	for _, e := range r.receive {
		if e.expires.IsZero() {
			e.expires = now.Add(OldKeyLife)
		}
	}
	r.newest = &epochKeys{epoch: epoch, leaf: leaf, base: base, keys: map[uint64]*openKey{}}
	r.receive[uint8(epoch)] = r.newest
	r.Expire(now)
}

// Expire drops receive keys whose time has come.
func (r *Ring) Expire(now time.Time) {
	for residue, e := range r.receive {
		if !e.expires.IsZero() && !now.Before(e.expires) {
			delete(r.receive, residue)
		}
	}
}

// SendNewest seals with the newest epoch from now on.
func (r *Ring) SendNewest() error {
	if r.newest == nil {
		return ErrNoSendKey
	}
	if r.send != r.newest {
		r.send = r.newest
		clear(r.counters) // of epochs that are never sent in again
	}
	r.stopped = false
	return nil
}

// Stop ends sending until SendNewest.
func (r *Ring) Stop() { r.stopped = true }

// Seal appends the sealed frame to dst, with the next counter of the context.
func (r *Ring) Seal(dst []byte, context uint16, metadata, plaintext []byte) ([]byte, error) {
	if r.stopped {
		return nil, ErrStopped
	}
	if r.send == nil {
		return nil, ErrNoSendKey
	}
	c := r.counters[sendKey{r.send.epoch, context}]
	if c == nil {
		kid, err := NewKID(context, r.send.leaf, r.send.epoch)
		if err != nil {
			return nil, err
		}
		key, err := r.send.base.Derive(kid.Uint64())
		if err != nil {
			return nil, err
		}
		c = &counter{key: key}
		r.counters[sendKey{r.send.epoch, context}] = c
	}
	if c.next >= maxCounter {
		return nil, ErrExhausted
	}
	ctr := c.next
	c.next++
	return c.key.Seal(dst, ctr, metadata, plaintext), nil
}

// Open appends the plaintext to dst. leaf and context are those of the signed announcement of the track: without them a node
// or another member could put one voice under another's name. since is the epoch in which the leaf became the announcer's: a leaf is
// given anew in the very commit after a removal, and whoever held it before still has the keys of the epochs before.
func (r *Ring) Open(dst []byte, leaf uint32, since uint64, context uint16, metadata, sealed []byte, now time.Time) ([]byte, Verdict) {
	h, err := ParseHeader(sealed)
	if err != nil {
		return nil, Malformed
	}
	kid, ok := ParseKID(h.KID)
	if !ok {
		return nil, Malformed
	}
	if uint32(kid.Leaf) != leaf {
		return nil, WrongLeaf
	}
	if kid.Context != context {
		return nil, WrongContext
	}
	r.Expire(now)
	e := r.receive[kid.Residue]
	if e == nil {
		return nil, NoKey
	}
	if e.epoch < since {
		return nil, WrongLeaf // then it was another's, whose old frames are not this track's
	}
	// Bounded: at most one key per announced (leaf, context) of the epoch.
	k := e.keys[h.KID]
	if k == nil {
		key, err := e.base.Derive(h.KID)
		if err != nil {
			return nil, NoKey
		}
		k = &openKey{key: key}
		e.keys[h.KID] = k
	}
	if v := k.window.check(h.CTR); v != Opened {
		return nil, v
	}
	out, err := k.key.Open(dst, h, metadata, sealed)
	if err != nil {
		return nil, Forged
	}
	k.window.mark(h.CTR)
	return out, Opened
}
