package node

import (
	"context"
	"errors"

	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/store"
)

// sealEvery is after how many entries a scope's state is sealed anew while it runs; it also is when the node stops. A start runs the
// rules and signatures of no more than these again, at about a millisecond each.
const sealEvery = 256

// findSnapshot adds the snapshot to what was loaded. A broken one is as good as none.
func (s *scope) findSnapshot(ctx context.Context, saved *ledger.Saved) {
	snap, err := s.env.store.LoadSnapshot(ctx, s.id)
	switch {
	case err == nil:
		saved.Snapshot = &snap
	case !errors.Is(err, store.ErrNotFound):
		s.env.log.Warn("a snapshot is not used: everything is replayed", "scope", short(s.id), "error", err)
	}
}

// resumed notes how the replay began.
func (s *scope) resumed() {
	var ignored error
	if s.sealed, ignored = s.led.Resumed(); ignored != nil {
		s.env.log.Warn("a snapshot is not used: everything was replayed", "scope", short(s.id), "error", ignored)
	}
}

// seal keeps a snapshot when at least n entries stand above the newest one. It may fail: it is a cache, and the disk's own turn
// says what is wrong with the disk.
func (s *scope) seal(n uint64) {
	next := uint64(len(s.led.Entries(0)))
	if s.broken != nil || next < s.sealed+n {
		return
	}
	snap, ok := s.led.Snapshot()
	if !ok {
		return
	}
	s.sealed = next // not again at once, whatever becomes of it
	if err := s.env.store.SaveSnapshot(context.Background(), s.id, snap); err != nil {
		s.env.log.Warn("a snapshot could not be kept", "scope", short(s.id), "error", err)
	}
}

// sealAll is what a node that stops does for its next start.
func (c *scopes) sealAll() {
	for _, s := range c.list() {
		s.mu.Lock()
		s.seal(1)
		s.mu.Unlock()
	}
}
