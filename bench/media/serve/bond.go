//go:build linux

package serve

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"time"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/link"
	"parley.link/parley/internal/wire/linkpb"
)

// scope stands for the id of a session.
var scope = sha256.Sum256([]byte("bench/media"))

// bond is the link to the other process. Its keys are made from fixed words: they protect nothing but a measurement.
type bond struct {
	s        *Server
	endpoint *link.Endpoint
	other    [32]byte

	// guarded by Server.mu
	up     bool
	wanted map[string]*link.UpStream // tracks we fetch; nil: asked for while the link was down
	asked  map[string]*link.DownStream
}

type party struct {
	root ident.Delegation
	key  ident.Key
}

func partyOf(name string) (p party, err error) {
	seed := func(what string) []byte { s := sha256.Sum256([]byte("bench/media " + name + " " + what)); return s[:] }
	if p.root, err = ident.DelegationFromSeed(append(seed("root"), seed("root, second half")...)); err != nil {
		return p, err
	}
	p.key, err = ident.KeyFromSeed(seed("node"))
	return p, err
}

func newBond(s *Server, c Config) (*bond, error) {
	names := map[string]string{"a": "b", "b": "a"}
	if names[c.Party] == "" {
		return nil, fmt.Errorf("serve: party %q is neither a nor b", c.Party)
	}
	own, err := partyOf(c.Party)
	if err != nil {
		return nil, err
	}
	other, err := partyOf(names[c.Party])
	if err != nil {
		return nil, err
	}
	side := own.root.Side()
	cert, err := own.root.SignNode(ident.NodeCert{Version: ident.Version, Side: side[:], Key: own.key.Public(), From: 0, Until: 1 << 52})
	if err != nil {
		return nil, err
	}
	e, err := link.New(link.Config{
		Listen: c.Link, Key: own.key, Delegation: own.root.Public(), NodeCert: canon.Encode(cert),
		Secret: link.Secret(sha256.Sum256([]byte("bench/media " + c.Party))), Boot: uint64(time.Now().UnixNano()), Build: "bench",
	})
	if err != nil {
		return nil, err
	}
	b := &bond{s: s, endpoint: e, other: other.root.Side(), wanted: map[string]*link.UpStream{}, asked: map[string]*link.DownStream{}}
	return b, e.SetPeers([]link.Peer{{
		Side: b.other, Delegation: other.root.Public(), NodeKeys: []ed25519.PublicKey{other.key.Public()}, Address: c.Peer,
		Verified: true, How: "both ends belong to one measurement",
	}})
}

// run carries the link's events until ctx ends.
func (b *bond) run(ctx context.Context) {
	done := make(chan struct{})
	b.s.wait.Go(func() {
		defer close(done)
		_ = b.endpoint.Run(ctx)
	})
	for {
		select {
		case <-done:
			return
		case ev := <-b.endpoint.Events():
			b.s.mu.Lock()
			b.take(ev)
			b.s.mu.Unlock()
		}
	}
}

func (b *bond) take(ev link.Event) {
	switch ev := ev.(type) {
	case link.Up:
		b.up = true
		b.everybody()
	case link.Down:
		b.up = false
	case link.Opened:
		b.everybody()
	case link.Frame:
		switch f := ev.Frame.GetBody().(type) {
		case *linkpb.LinkFrame_Subscribe:
			b.asked[f.Subscribe.GetTrack()] = nil
			b.serve()
		case *linkpb.LinkFrame_Unsubscribe:
			delete(b.asked, f.Unsubscribe.GetTrack())
		}
	}
}

func (b *bond) everybody() {
	for room := range b.s.people {
		b.s.apply(room)
	}
}

// fetch gives what has come of tracks, and asks for those that nobody asked for. Called with Server.mu held.
func (b *bond) fetch(tracks []string) (list []*forward.UpTrack) {
	for _, t := range tracks {
		if b.wanted[t] == nil && b.up {
			if s, err := b.endpoint.Media(b.other).Subscribe(scope[:], t, 0); err == nil {
				b.wanted[t] = s
			}
		}
		if s := b.wanted[t]; s != nil && s.Track() != nil {
			list = append(list, s.Track())
		}
	}
	return list
}

// serve opens what the other end asked for and we have. Called with Server.mu held.
func (b *bond) serve() {
	for t, open := range b.asked {
		if up := b.s.find(t); open == nil && up != nil {
			if d, err := b.endpoint.Media(b.other).OpenDown(scope[:], t, up); err == nil {
				b.asked[t] = d
			}
		}
	}
}
