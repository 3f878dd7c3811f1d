package link

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"slices"
	"sync"
	"testing"
	"time"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/wire/linkpb"
)

// party is one side of a test: its keys and, once started, its endpoint.
type party struct {
	t      testing.TB
	root   ident.Delegation
	key    ident.Key
	cfg    Config
	e      *Endpoint
	addr   string
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	events []Event
	seen   int
	news   chan struct{}
}

func newParty(t testing.TB) *party {
	t.Helper()
	root, err := ident.GenerateDelegation(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ident.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &party{t: t, root: root, key: key, news: make(chan struct{}, 1)}
	p.cfg = Config{
		Listen: "127.0.0.1:0", Key: key, Delegation: root.Public(), NodeCert: nodeCert(t, root, key.Public()),
		Secret: Secret{1, 2, 3}, Boot: 1, Build: "test",
	}
	return p
}

func nodeCert(t testing.TB, root ident.Delegation, key []byte) []byte {
	t.Helper()
	side := root.Side()
	signed, err := root.SignNode(ident.NodeCert{Version: ident.Version, Side: side[:], Key: key, From: 0, Until: 1 << 52})
	if err != nil {
		t.Fatal(err)
	}
	return canon.Encode(signed)
}

// lower makes two parties of which the first has the lower node id.
func twoParties(t testing.TB) (low, high *party) {
	a, b := newParty(t), newParty(t)
	if string(a.key.Public()) > string(b.key.Public()) {
		a, b = b, a
	}
	return a, b
}

func (p *party) peer(address string) Peer {
	return Peer{
		Side: p.root.Side(), Delegation: p.root.Public(), NodeKeys: []ed25519.PublicKey{p.key.Public()},
		Address: address, Verified: true, How: "by hand, in the test",
	}
}

// start opens the endpoint and collects its events.
func (p *party) start(peers ...Peer) {
	p.t.Helper()
	var err error
	if p.e, err = New(p.cfg); err != nil {
		p.t.Fatal(err)
	}
	p.addr = p.e.Addr().String()
	if err := p.e.SetPeers(peers); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	done := make(chan struct{})
	p.done = done
	e := p.e
	go func() {
		defer close(done)
		if err := e.Run(ctx); err != nil {
			p.t.Errorf("run: %v", err)
		}
	}()
	go func() {
		for {
			select {
			case <-done:
				return
			case ev := <-e.Events():
				p.mu.Lock()
				p.events = append(p.events, ev)
				p.mu.Unlock()
				select {
				case p.news <- struct{}{}:
				default:
				}
			}
		}
	}()
	p.t.Cleanup(p.stop)
}

func (p *party) stop() {
	p.cancel()
	<-p.done
}

// await returns the next event of type E after those already awaited.
func await[E Event](p *party, what string) E {
	p.t.Helper()
	return awaitWhere(p, what, func(E) bool { return true })
}

func awaitWhere[E Event](p *party, what string, ok func(E) bool) E {
	p.t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		p.mu.Lock()
		for p.seen < len(p.events) {
			ev := p.events[p.seen]
			p.seen++
			if e, is := ev.(E); is && ok(e) {
				p.mu.Unlock()
				return e
			}
		}
		p.mu.Unlock()
		select {
		case <-p.news:
		case <-deadline:
			p.mu.Lock()
			events := slices.Clone(p.events)
			p.mu.Unlock() // whoever still collects events must end
			p.t.Fatalf("no %s; events: %+v", what, events)
		}
	}
}

// count says how many events of a type there were at all.
func count[E Event](p *party) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, ev := range p.events {
		if _, ok := ev.(E); ok {
			n++
		}
	}
	return n
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 15 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func heartbeat(n uint64) *linkpb.LinkFrame {
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Heartbeat{Heartbeat: &linkpb.Heartbeat{Sequence: n}}}
}

func entry(n uint64, size int) *linkpb.LinkFrame {
	b := make([]byte, size)
	b[0], b[1], b[2], b[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	return &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Entry{Entry: &linkpb.EntryPush{Scope: []byte("s"), Entry: b}}}
}
