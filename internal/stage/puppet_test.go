package stage

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/link"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/node"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/wire/linkpb"
	"parley.link/parley/internal/wire/signalpb"
)

// puppet is a node in hostile hands: it holds the true node key, the link is verified, and it says what the test wants.
type puppet struct {
	t     *testing.T
	side  *Side
	scope []byte
	key   ident.Key
	peer  [32]byte
	end   *link.Endpoint

	mu     sync.Mutex
	skew   time.Duration
	head   *linkpb.ScopeHead
	frames []*linkpb.LinkFrame
	up     bool
}

// possess kills a side's node and speaks in its place, with all that it knew.
func possess(t *testing.T, s *Stage, sd, other *Side, r record) *puppet {
	t.Helper()
	p := &puppet{t: t, side: sd, scope: s.Scope, peer: [32]byte(other.ID)}
	term, next, hash := r.log.State.Head()
	p.head = &linkpb.ScopeHead{Scope: s.Scope, Term: term, NextIndex: next, Hash: hash[:]}
	var err error
	if p.key, err = node.Key(sd.Data); err != nil {
		t.Fatal(err)
	}
	theirs, err := node.Key(other.Data)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(sd.Data, "link.secret"))
	if err != nil {
		t.Fatal(err)
	}
	var secret link.Secret
	copy(secret[:], b)
	if err := sd.Node.Kill(); err != nil {
		t.Fatal(err)
	}
	p.end, err = link.New(link.Config{Listen: loopback(sd.Ports.Link), Key: p.key, Delegation: sd.checked.Key, NodeCert: sd.checked.Node,
		Secret: secret, Boot: uint64(time.Now().UnixNano()), Build: "puppet"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.end.SetPeers([]link.Peer{{Side: p.peer, Delegation: other.checked.Key, NodeKeys: []ed25519.PublicKey{theirs.Public()},
		Address: loopback(other.Ports.Link), Verified: true, How: "test"}}); err != nil {
		t.Fatal(err)
	}
	p.end.SetBusy(p.peer, true)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.end.Run(ctx) })
	wg.Go(func() { p.runBeat(ctx) })
	wg.Go(func() { p.runEvents(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
	wait(t, 10*time.Second, func() string {
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.up {
			return "the puppet's link is not up"
		}
		return ""
	})
	return p
}

func (p *puppet) runBeat(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond) // quicker than an honest node's
	defer tick.Stop()
	for n := uint64(1); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		p.mu.Lock()
		h := &linkpb.Heartbeat{Now: time.Now().Add(p.skew).UnixMilli(), Sequence: n, Heads: []*linkpb.ScopeHead{p.head}}
		p.mu.Unlock()
		p.send(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_Heartbeat{Heartbeat: h}})
	}
}

func (p *puppet) runEvents(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-p.end.Events():
			p.mu.Lock()
			switch e := e.(type) {
			case link.Up:
				p.up = true
			case link.Frame:
				if e.Frame.GetHeartbeat() == nil && len(p.frames) < 10_000 {
					p.frames = append(p.frames, e.Frame)
				}
			}
			p.mu.Unlock()
		}
	}
}

func (p *puppet) send(f *linkpb.LinkFrame) { _ = p.end.Send(p.peer, f) }

// heard gives the frames so far that are wanted.
func (p *puppet) heard(want func(*linkpb.LinkFrame) bool) (out []*linkpb.LinkFrame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.frames {
		if want(f) {
			out = append(out, f)
		}
	}
	return out
}

// push signs an entry as the sequencer does, and sends it.
func (p *puppet) push(e act.Entry) {
	b := act.Encode(e)
	hash := act.Hash(b)
	sig := p.key.Sign(act.ContextHead, session.HeadAfter(p.scope, e.Term, e.Index, hash[:]))
	p.send(&linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{Scope: p.scope, Entry: b, Signatures: []*signalpb.NodeSig{{Side: p.side.ID, Signature: sig}}}}})
}

// watchman is the first officer, who reads every problem that the own node names. The second reads the log (recordOf).
type watchman struct {
	mu    sync.Mutex
	named map[string]time.Time // by code, the first time
}

func watching(t *testing.T, s *Stage, sd *Side) *watchman {
	t.Helper()
	w := &watchman{named: map[string]time.Time{}}
	sd.Office.Desk.Close()
	d, err := native.OpenDesk(t.Context(), native.DeskConfig{Address: sd.Address(), Device: sd.Officers[0], Language: "en", Build: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Ask(t.Context(), &signalpb.ToNode{Body: &signalpb.ToNode_Watch{Watch: &signalpb.Watch{Scope: s.Scope, Want: true}}}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go w.runRead(d, done)
	t.Cleanup(func() { d.Close(); <-done })
	return w
}

func (w *watchman) runRead(d *native.Desk, done chan struct{}) {
	defer close(done)
	for m := range d.Pushes() {
		if p := m.GetProblem(); p != nil {
			w.mu.Lock()
			if _, had := w.named[p.Code]; !had {
				w.named[p.Code] = time.Now()
			}
			w.mu.Unlock()
		}
	}
}

// told waits until a code was named and says when.
func (w *watchman) told(t *testing.T, code string, most time.Duration) (at time.Time) {
	t.Helper()
	wait(t, most, func() string {
		w.mu.Lock()
		defer w.mu.Unlock()
		var ok bool
		if at, ok = w.named[code]; !ok {
			return fmt.Sprintf("nobody was told %s, only %v", code, w.named)
		}
		return ""
	})
	return at
}

func suspended(actors ...*actor) func() string {
	return all(actors, func(a *actor) string {
		if a.Facts().Phase != session.PhaseSuspended {
			return a.person.ID + " goes on: " + a.Facts().Phase
		}
		return ""
	})
}
