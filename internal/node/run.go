package node

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/link"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/wire/linkpb"
	"parley.link/parley/internal/wire/signalpb"
)

const (
	tickEvery = 50 * time.Millisecond
	stopIn    = 8 * time.Second
)

// Start opens the doors: web and admin socket. Run serves until ctx ends and returns when everything has stopped.
func (n *Node) Start() error {
	if err := n.openWeb(); err != nil {
		n.closeAll()
		return err
	}
	if err := n.openAdmin(); err != nil {
		n.closeAll()
		return err
	}
	return nil
}

// Run serves a started node.
func (n *Node) Run(ctx context.Context) error {
	loops, stopLoops := context.WithCancel(context.WithoutCancel(ctx))
	linkCtx, stopLink := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLoops()
	defer stopLink()
	var wg, linkWG sync.WaitGroup
	var linkErr error
	linkWG.Go(func() { linkErr = n.link.Run(linkCtx) })
	eventsCtx, stopEvents := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEvents()
	var events sync.WaitGroup
	events.Go(func() { n.runEvents(eventsCtx) })
	wg.Go(func() { n.runTick(loops) })
	wg.Go(func() { n.runBeat(loops) })

	<-ctx.Done()
	n.log.Info("stopping: people are told")
	// The loops first: a device that goes because its node stops is not lost.
	stopLoops()
	wg.Wait()
	stop, cancel := context.WithTimeout(context.Background(), stopIn)
	defer cancel()
	err := n.web.Stop(stop)
	n.web = nil
	stopLink()
	linkWG.Wait() // the events are read until the link has gone
	stopEvents()
	events.Wait()
	n.scopes.sealAll()
	n.admin.stop(stop)
	n.admin, n.link = nil, nil
	n.closeAll()
	n.log.Info("stopped")
	return errors.Join(err, linkErr)
}

// closeAll closes what is open, in the order of the package comment.
func (n *Node) closeAll() {
	ctx, cancel := context.WithTimeout(context.Background(), stopIn)
	defer cancel()
	if n.web != nil {
		_ = n.web.Stop(ctx)
	}
	if n.turn != nil {
		_ = n.turn.Close()
	}
	if n.rtc != nil {
		_ = n.rtc.Close()
	}
	if n.link != nil { // never ran: Run is what closes its port
		done, cancel := context.WithCancel(ctx)
		cancel()
		_ = n.link.Run(done)
	}
	if n.admin != nil {
		n.admin.stop(ctx)
	}
	if n.store != nil {
		if err := n.store.Close(); err != nil {
			n.log.Error("the store did not close in order", "error", err)
		}
	}
	n.web, n.turn, n.rtc, n.link, n.admin, n.store = nil, nil, nil, nil, nil, nil
}

// runTick lets time pass for every log, notices devices that are gone and accreditations that end.
func (n *Node) runTick(ctx context.Context) {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for i := 1; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		for _, s := range n.scopes.list() {
			s.tick()
		}
		if i%5 == 0 {
			n.sweep()
		}
		if i%20 == 0 {
			n.checkWall()
			n.people.expire()
			n.followBundle()
		}
		if n.sessionsChanged.Swap(false) {
			n.tellSessions()
		}
	}
}

// checkWall follows the machine's clock when somebody has set it, and says so.
func (n *Node) checkWall() {
	if by := n.scopes.env.clock.check(); by != 0 {
		n.log.Warn("the machine's clock was set while the node runs", "by", time.Duration(by)*time.Millisecond)
		n.note("clock-set", "", (time.Duration(by) * time.Millisecond).String())
	}
}

func (n *Node) tellSessions() {
	for _, s := range n.hub.All(func(d seat.Device) bool { return d.Accredited() || d.Officer() }) {
		s.Push(&signalpb.ToClient{Body: &signalpb.ToClient_Sessions{Sessions: &signalpb.Sessions{Sessions: n.scopes.List(s.Device())}}})
	}
}

// followBundle takes a new bundle that was copied into the data directory, if it is of this very side and node.
func (n *Node) followBundle() {
	st, err := os.Stat(filepath.Join(n.cfg.Data, side.BundleFile))
	if err != nil || st.ModTime().Equal(n.bundleMod) {
		return
	}
	n.bundleMod = st.ModTime()
	c, err := n.readBundle()
	if err != nil || c.ID != n.side().ID {
		n.log.Error("the new side bundle is not used", "error", err)
		n.note("bundle-refused", "", "")
		return
	}
	n.bundle.Store(&c)
	n.link.SetNodeCert(c.Node)
	n.introduce()
	n.note("bundle", "", "a new side bundle is in use")
	// A device that was certified, or no longer is, learns what it may do now when it comes back.
	for _, s := range n.hub.All(func(d seat.Device) bool { _, ok := c.Officer(d.Key[:], millis(time.Now())); return ok != d.Officer() }) {
		s.End(nodeStopping)
	}
}

// runBeat says every 250 ms what this node holds.
func (n *Node) runBeat(ctx context.Context) {
	t := time.NewTicker(ledger.HeartbeatEvery * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		n.mu.Lock()
		n.beats++
		beat := n.beats
		sides := make([][32]byte, 0, len(n.up))
		for s := range n.up {
			sides = append(sides, s)
		}
		n.mu.Unlock()
		for _, s := range sides {
			heads := n.scopes.heads(s)
			n.link.SetBusy(s, len(heads) > 0)
			n.send(s, &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Heartbeat{Heartbeat: &linkpb.Heartbeat{
				Now: n.scopes.env.clock.now(), Sequence: beat, Heads: heads,
			}}})
		}
	}
}

// runEvents gives what the links say to the logs and to media.
func (n *Node) runEvents(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-n.link.Events():
			if !ok {
				return
			}
			n.event(ctx, e)
		}
	}
}

func (n *Node) event(ctx context.Context, e link.Event) {
	switch e := e.(type) {
	case link.Up:
		n.linkUp(ctx, e)
	case link.Down:
		n.mu.Lock()
		delete(n.up, e.Side)
		n.mu.Unlock()
		n.log.Warn("link down", "side", short(e.Side), "reason", string(e.Reason), "error", e.Err)
		for _, s := range n.scopes.list() {
			s.turn(func(l *ledger.Ledger, now int64) []ledger.Effect { return l.LinkDown(e.Side, now) })
		}
		n.tellLinks(ctx)
	case link.Frame:
		n.frame(ctx, e.Side, e.Frame)
	case link.Opened:
		n.media.opened(e.Side, e.Stream)
	case link.Refused:
		if !n.refusals.Allow(string(e.Side[:])+string(e.Problem.Code), time.Now()) {
			return // one line a minute per side and reason: a scanner is no alarm
		}
		n.security(store.SecurityLine{Kind: "link-refused", Side: e.Side, Detail: string(e.Problem.Code)})
		n.tellLinks(ctx)
	}
}

func (n *Node) linkUp(ctx context.Context, e link.Up) {
	n.mu.Lock()
	n.up[e.Side] = true
	n.mu.Unlock()
	n.cards.met(e.Side, n.introductionOf(ctx, e.Side, e.Introduction))
	n.log.Info("link up", "side", short(e.Side), "protocol", e.Protocol, "skew", e.Skew)
	for _, s := range n.scopes.list() {
		s.turn(func(l *ledger.Ledger, now int64) []ledger.Effect { return l.LinkUp(e.Side, now) })
	}
	n.media.linkUp()
	n.tellLinks(ctx)
}

func (n *Node) frame(ctx context.Context, from ledger.Side, f *linkpb.LinkFrame) {
	switch b := f.GetBody().(type) {
	case *linkpb.LinkFrame_Heartbeat:
		n.scopes.heard(from, b.Heartbeat)
	case *linkpb.LinkFrame_Relay:
		n.scopes.relayed(from, b.Relay)
	case *linkpb.LinkFrame_Subscribe:
		n.media.asked(from, b.Subscribe)
	case *linkpb.LinkFrame_Unsubscribe:
		n.media.unasked(from, b.Unsubscribe)
	case *linkpb.LinkFrame_RefusedTrack:
		n.media.refused(from, b.RefusedTrack)
	case *linkpb.LinkFrame_Introduction:
		n.introduced(ctx, from, b.Introduction.GetIntroduction())
	default:
		n.scopes.frame(from, f)
	}
}

// introduced takes what a peer says of its side while the link is up. What does not hold changes nothing: the peer said better before.
func (n *Node) introduced(ctx context.Context, from ledger.Side, said []byte) {
	if len(said) > link.MaxIntroduction || !n.introductions.Allow(string(from[:]), time.Now()) {
		return // each costs post-quantum signatures, and a side is certified anew by hand
	}
	if good := n.introductionOf(ctx, from, said); good != nil {
		n.cards.met(from, good)
		n.tellLinks(ctx)
	}
}

// introduce tells the peers of a new bundle, so that plans name the officers there are.
func (n *Node) introduce() {
	n.mu.Lock()
	peers := slices.Collect(maps.Keys(n.up))
	n.mu.Unlock()
	f := &linkpb.LinkFrame{Body: &linkpb.LinkFrame_Introduction{Introduction: &linkpb.Introduction{Introduction: n.introduction()}}}
	for _, p := range peers {
		_ = n.link.Send(p, f) // a peer that is away reads it in the next hello
	}
}

func fingerprintOf(c side.Checked) ident.LinkFingerprint {
	return ident.Fingerprint(c.Key, c.NodeCert.Key)
}
