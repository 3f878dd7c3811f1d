// Package node builds a side's node of all its parts and owns the order in which they start and stop.
//
//	start  data directory → node key → side bundle → store → logs replayed → link → media → TURN → web → admin socket
//	stop   no new sockets; people told; their media ended → loops → media ports → link said goodbye → admin → store
//
// Nothing here admits anybody. Who comes in is decided by signatures that officers' devices made, and by nothing else.
package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/config"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/limit"
	"parley.link/parley/internal/link"
	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/turn"
	"parley.link/parley/internal/web"
	"parley.link/parley/internal/wire/linkpb"
	"parley.link/parley/internal/wire/signalpb"
)

// Options are what a program gives a node besides its configuration.
type Options struct {
	Client fs.FS // the built client
	Log    *slog.Logger

	store store.Options // of tests that break writes
}

// Node is one side's node. New opens everything, Run serves, both once.
type Node struct {
	cfg  config.Config
	log  *slog.Logger
	key  ident.Key
	boot uint64

	bundle    atomic.Pointer[side.Checked]
	bundleMod time.Time // of the file; owned by runTick

	store    *store.Store
	hub      *seat.Hub
	people   *people
	presence *presence
	scopes   *scopes
	cards    *Cards
	media    *media

	link   *link.Endpoint
	rtc    *rtc.Engine
	turn   *turn.Server
	web    *web.Server
	admin  *adminServer
	client *web.Client

	sessionsChanged atomic.Bool
	started         time.Time
	fingerprint     string // of the HTTPS certificate; "" without one of our own

	refusals      *limit.Window // of the link
	introductions *limit.Window // a minute, by peer

	mu    sync.Mutex
	up    map[[32]byte]bool // links
	beats uint64
}

// New opens a node. A *Fault says what keeps it from starting.
func New(ctx context.Context, cfg config.Config, o Options) (n *Node, err error) {
	n = &Node{cfg: cfg, log: o.Log, started: time.Now(), up: map[[32]byte]bool{}, refusals: limit.NewWindow(1, time.Minute),
		introductions: limit.NewWindow(10, time.Minute)}
	defer func() {
		if err != nil {
			n.closeAll()
			n = nil
		}
	}()
	if err := n.identify(); err != nil {
		return n, err
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
	n.boot = binary.BigEndian.Uint64(b[:])
	path := filepath.Join(cfg.Data, storeFile)
	if n.store, err = store.Open(ctx, path, o.store); err != nil {
		return n, opening(path, err)
	}
	n.presence = newPresence(time.Now)
	n.hub = seat.NewHub(n.presence.changed)
	n.media = newMedia(n.side().ID, n.log)
	n.people = &people{store: n.store, side: n.side, hub: n.hub, now: time.Now, note: n.note, ended: n.cut, asking: map[[32]byte][limit.Levels]string{}}
	if err := n.people.load(ctx); err != nil {
		return n, opening(path, err)
	}
	n.cards = &Cards{store: n.store, own: n.side, now: time.Now, note: n.note, changed: n.linksChanged, intro: map[[32]byte][]byte{}, ever: map[[32]byte]bool{}}
	if err := n.openLink(); err != nil {
		return n, err
	}
	n.scopes = n.newScopes()
	n.media.link, n.media.send = n.link.Media, n.send
	if err := n.scopes.load(ctx); err != nil {
		return n, opening(path, err)
	}
	if err := n.checkClock(); err != nil {
		return n, err
	}
	if err := n.openMedia(); err != nil {
		return n, err
	}
	if err := n.setPeers(ctx); err != nil {
		return n, err
	}
	if n.client, err = web.NewClient(o.Client); err != nil {
		return n, err
	}
	return n, nil
}

// identify reads who this node is: its key, and what the delegation key says of it.
func (n *Node) identify() error {
	if err := os.MkdirAll(n.cfg.Data, 0o700); err != nil {
		return &Fault{What: "The data directory cannot be made", Do: "Choose a directory that this user may write.", Example: "parley serve --data $HOME/parley-data", Exit: ExitConfig, Err: err}
	}
	if at, found := side.HoldsDelegationKey(n.cfg.Data); found {
		return &Fault{
			What:  "A delegation key lies in the node's data directory (" + at + ")",
			Means: "Whoever breaks into this node could make nodes and officers of this side. The node does not start with it.",
			Do:    "Move the file to a machine that serves nobody, and wipe it here. If this machine was reachable, make a new side.",
			Exit:  ExitIdentity,
		}
	}
	var err error
	if n.key, err = Key(n.cfg.Data); err != nil {
		return &Fault{What: "The node key cannot be used", Err: err, Do: "See the error above.", Exit: ExitIdentity}
	}
	if st, err := os.Stat(filepath.Join(n.cfg.Data, side.BundleFile)); err == nil {
		n.bundleMod = st.ModTime() // before it is read: a copy that comes meanwhile is seen as a new one
	}
	c, err := n.readBundle()
	if err != nil {
		return err
	}
	n.bundle.Store(&c)
	return nil
}

func (n *Node) readBundle() (side.Checked, error) {
	path := filepath.Join(n.cfg.Data, side.BundleFile)
	request := side.NodeRequest(n.key.Public())
	do := "On the offline machine run the command below, then copy its side.parley into " + n.cfg.Data + "."
	example := "parley side node-cert DIR --key " + request
	b, err := side.ReadBundle(path)
	if errors.Is(err, fs.ErrNotExist) {
		return side.Checked{}, &Fault{What: "This node is not certified yet: " + path + " is not there",
			Means: "No side's delegation key has said that this node is its own.", Do: do, Example: example, Exit: ExitIdentity}
	}
	if err != nil {
		return side.Checked{}, &Fault{What: "The side's bundle cannot be read", Err: err, Do: do, Example: example, Exit: ExitIdentity}
	}
	c, err := b.Check(millis(time.Now()))
	switch {
	case err != nil:
		return c, &Fault{What: "The side's bundle does not hold", Err: err, Exit: ExitIdentity,
			Means: "The node certificate has ended, has not begun, or was not made by this delegation key; or this machine's clock (" + time.Now().UTC().Format(time.RFC3339) + ") is wrong.",
			Do:    "Check the clock first. Then: " + do, Example: example}
	case len(b.Node) == 0 || string(c.NodeCert.Key) != string(n.key.Public()):
		return c, &Fault{What: "The side's bundle certifies no node, or another one", Do: do, Example: example, Exit: ExitIdentity}
	}
	return c, nil
}

func (n *Node) side() side.Checked { return *n.bundle.Load() }

// Request is the line that the offline machine certifies.
func (n *Node) Request() string { return side.NodeRequest(n.key.Public()) }

// introduction is what a peer's officer needs to name this side in a plan.
func (n *Node) introduction() []byte {
	c := n.side()
	return act.Encode(act.PlanSide{ID: c.ID[:], Name: c.Name, Language: c.Language, Zone: n.cfg.Zone, Delegation: c.Delegation, Node: c.Node, Officers: c.Officers})
}

func (n *Node) newScopes() *scopes {
	env := &scopeEnv{
		own:   n.side().ID,
		store: n.store, clock: newClock(), log: n.log, send: n.send,
		ledger:  n.ledgerConfig(),
		viewed:  n.media.viewed,
		revoked: n.learnRevoked,
		changed: func() { n.sessionsChanged.Store(true) },
		note: func(kind string, s ledger.Scope, detail string) {
			n.security(store.SecurityLine{Kind: kind, Scope: s, Detail: detail})
		},
	}
	return &scopes{env: env, host: n.host, hub: n.hub, notes: newNotes(), refusals: limit.NewWindow(1, time.Minute), all: map[ledger.Scope]*scope{}}
}

func (n *Node) openLink() error {
	secret, err := linkSecret(n.cfg.Data)
	if err != nil {
		return &Fault{What: "The link secret cannot be used", Err: err, Exit: ExitConfig}
	}
	n.link, err = link.New(link.Config{
		Listen: n.cfg.Link.Listen, Key: n.key, Delegation: n.side().Key, NodeCert: n.side().Node, Secret: secret, Boot: n.boot,
		Build: cut(config.Version, 64), Log: n.log, Introduction: n.introduction,
	})
	if err != nil {
		return listening("link.listen", n.cfg.Link.Listen, err)
	}
	n.cards.endpoint = n.link
	return nil
}

// send passes a frame to the link; a link that is down loses it, and the ledger sends again.
func (n *Node) send(to ledger.Side, f *linkpb.LinkFrame) {
	if err := n.link.Send(to, f); err != nil && !errors.Is(err, link.ErrDown) {
		n.log.Warn("a frame could not be queued for a link", "side", short(to), "error", err)
	}
}

// cut stops the media of everybody whose accreditation has ended, before anything else learns of it.
func (n *Node) cut(r ident.Revocation) { n.media.cut(r.Ends) }

// learnRevoked takes a revocation from a session's log. The scope is locked meanwhile; the registry never asks for one.
func (n *Node) learnRevoked(signed []byte) {
	if err := n.people.learn(context.Background(), signed); err != nil {
		n.log.Warn("a revocation in a log could not be kept", "error", err)
	}
}

// setPeers tells the link who it may speak with.
func (n *Node) setPeers(ctx context.Context) error {
	list, err := n.cards.peers(ctx)
	if err != nil {
		return err
	}
	return n.link.SetPeers(list)
}

// linksChanged follows a change of the link cards.
func (n *Node) linksChanged(ctx context.Context) {
	if err := n.setPeers(ctx); err != nil {
		n.log.Error("the links could not be set", "error", err)
	}
	n.tellLinks(ctx)
}

func (n *Node) tellLinks(ctx context.Context) {
	m := &signalpb.ToClient{Body: &signalpb.ToClient_Link{Link: &signalpb.LinkStatus{Links: n.cards.Status(ctx)}}}
	n.hub.Tell(m, func(d seat.Device) bool { return d.Accredited() || d.Officer() })
}

func (n *Node) note(kind, person, detail string) {
	n.security(store.SecurityLine{Kind: kind, Person: person, Detail: detail})
}

// security writes one line of the security log. The node's own log gets the kind only: people's ids stay in the store.
func (n *Node) security(l store.SecurityLine) {
	l.At = millis(time.Now())
	n.log.Info("security", "kind", l.Kind, "detail", l.Detail)
	if err := n.store.Log(context.Background(), l); err != nil {
		n.log.Error("the security log could not be written", "error", err)
	}
}

// checkClock compares the clock with the newest time that this node itself has kept.
func (n *Node) checkClock() error {
	now := millis(time.Now())
	for _, s := range n.scopes.list() {
		var last int64
		s.read(func(l *ledger.Ledger) { last = l.State().Time() })
		if last > now+2000 {
			return &Fault{What: "This machine's clock is behind", Exit: ExitClock,
				Means: fmt.Sprintf("It says %s, and this node has kept an act of %s. Acts dated before others would be refused by the other side.", stamp(now), stamp(last)),
				Do:    "Set the clock (timedatectl set-ntp true), then start again."}
		}
	}
	return nil
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
