package node

import (
	"errors"
	"log/slog"
	"slices"
	"sync"

	"parley.link/parley/internal/forward"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/link"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/wire/linkpb"
	"parley.link/parley/internal/wire/signalpb"
)

// maxPeerWants bounds the tracks one side may ask for at once.
const maxPeerWants = 512

// media says which source reaches whom. It carries no packet: it makes rtc's and link's ends follow the logs.
//
//	a log changes, a device wants, a source comes or goes, a peer subscribes, a link comes up
//	  → apply: what was announced, by whom, may it flow → refuse or let through every source, set every receiver's list,
//	    subscribe over the link to what somebody here wants and to nothing else, open to a peer what it asked for
//
// The node relays a track only if the log announces it for the very device (or the very side's link) it comes from. Everything
// is guarded by mu; nothing is called under it that waits.
type media struct {
	own    ledger.Side
	engine *rtc.Engine
	link   func(ledger.Side) *link.Media // nil for an unknown side
	send   func(ledger.Side, *linkpb.LinkFrame)
	log    *slog.Logger

	mu     sync.Mutex
	views  map[ledger.Scope]view
	people map[[32]byte]*person
	ups    map[upKey]*forward.UpTrack                    // of own people
	remote map[trackKey]*remoteTrack                     // of other sides' people, subscribed to
	wants  map[ledger.Side]map[trackKey]*link.DownStream // nil: asked for and not open yet
}

type upKey struct {
	device [32]byte
	track  string
}

type trackKey struct {
	scope ledger.Scope
	track string
}

type remoteTrack struct {
	side   ledger.Side
	stream *link.UpStream
	up     *forward.UpTrack // nil before the peer opened it
}

func newMedia(own ledger.Side, log *slog.Logger) *media {
	return &media{
		own: own, log: log, views: map[ledger.Scope]view{}, people: map[[32]byte]*person{}, ups: map[upKey]*forward.UpTrack{},
		remote: map[trackKey]*remoteTrack{}, wants: map[ledger.Side]map[trackKey]*link.DownStream{},
	}
}

// viewed takes a newer view of a session.
func (m *media) viewed(v view) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.views[v.scope]; ok && old.version >= v.version {
		return
	}
	m.views[v.scope] = v
	m.apply()
}

// cut stops everything from and to the devices a revocation names, now; their sockets close next.
func (m *media) cut(ends func(ident.Accreditation) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.people {
		if ends(p.accreditation) {
			p.cut = true
		}
	}
	m.apply()
}

// look finds what a track was announced as, where that is what is asked for. Devices choose the names of tracks, and a log refuses a
// name twice; but another session may hold the same name for somebody else's track, and a side that is in both could silence a person of
// this one by announcing it there.
func (m *media) look(track string, is func(announced, view) bool) (announced, bool) {
	for _, v := range m.views {
		if a, ok := v.tracks[track]; ok && is(a, v) {
			return a, true
		}
	}
	return announced{}, false
}

// apply makes everything follow the views. Called with mu held.
func (m *media) apply() {
	for k, up := range m.ups {
		_, ok := m.look(k.track, func(a announced, _ view) bool { return a.flows && a.side == m.own && a.device == k.device })
		p := m.people[k.device]
		up.SetRefused(!(ok && p != nil && !p.cut))
	}
	for k, r := range m.remote {
		if r.up == nil {
			continue
		}
		a, ok := m.views[k.scope].tracks[k.track]
		r.up.SetRefused(!(ok && a.flows && a.side == r.side))
	}
	needed := map[trackKey]ledger.Side{}
	for _, p := range m.people {
		m.setDown(p, needed)
	}
	m.subscribe(needed)
	m.serve()
}

// setDown gives a person what they want of what was announced to them, and notes what must come over a link for that.
func (m *media) setDown(p *person, needed map[trackKey]ledger.Side) {
	var list []*forward.UpTrack
	for _, track := range p.want {
		a, ok := m.look(track, func(a announced, v view) bool { return v.hears[p.device] && a.device != p.device })
		if !ok || p.cut {
			continue
		}
		if a.side == m.own {
			if up := m.ups[upKey{a.device, track}]; up != nil {
				up.SetStream(a.stream)
				list = append(list, up)
			}
			continue
		}
		k := trackKey{a.scope, track}
		needed[k] = a.side
		if r := m.remote[k]; r != nil && r.up != nil && r.side == a.side {
			r.up.SetStream(a.stream)
			list = append(list, r.up)
		}
	}
	if !slices.Equal(list, p.down) {
		p.down = list
		p.rtc.SetDown(list)
	}
}

// subscribe pulls over the links what somebody here wants, and nothing else.
func (m *media) subscribe(needed map[trackKey]ledger.Side) {
	for k, r := range m.remote {
		if side, ok := needed[k]; !ok || side != r.side {
			delete(m.remote, k)
			r.stream.Close()
		}
	}
	for k, side := range needed {
		if m.remote[k] != nil {
			continue
		}
		lm := m.link(side)
		if lm == nil {
			continue
		}
		stream, err := lm.Subscribe(k.scope[:], k.track, 0)
		if err != nil {
			continue // down: the next Up comes here again
		}
		m.remote[k] = &remoteTrack{side: side, stream: stream, up: stream.Track()}
	}
}

// serve opens to each peer what it asked for and may have.
func (m *media) serve() {
	for side, wants := range m.wants {
		lm := m.link(side)
		for k, open := range wants {
			v := m.views[k.scope]
			a, ok := v.tracks[k.track]
			up := m.ups[upKey{a.device, k.track}]
			may := ok && a.side == m.own && v.peers[side] && up != nil && lm != nil
			switch {
			case !may && open != nil:
				open.Close()
				wants[k] = nil
			case may && open == nil:
				d, err := lm.OpenDown(k.scope[:], k.track, up)
				if err != nil {
					m.log.Debug("a track could not be opened to a peer", "error", err)
					continue
				}
				wants[k] = d
			}
		}
	}
}

// asked takes a peer's SubscribeTrack. A track that is not announced yet waits: the peer may be ahead of us in the log.
func (m *media) asked(from ledger.Side, b *linkpb.SubscribeTrack) {
	if len(b.GetScope()) != 32 || len(b.GetTrack()) != 22 {
		return
	}
	k := trackKey{ledger.Scope(b.Scope), b.Track}
	m.mu.Lock()
	defer m.mu.Unlock()
	wants := m.wants[from]
	if wants == nil {
		wants = map[trackKey]*link.DownStream{}
		m.wants[from] = wants
	}
	v, ok := m.views[k.scope]
	code := problem.Code("")
	switch {
	case !ok || !v.peers[from]:
		code = problem.UnknownSession
	case len(wants) >= maxPeerWants:
		code = problem.TooMany
	}
	if code != "" {
		m.send(from, &linkpb.LinkFrame{Body: &linkpb.LinkFrame_RefusedTrack{RefusedTrack: &linkpb.RefusedTrack{
			Scope: b.Scope, Track: b.Track, Code: string(code),
		}}})
		return
	}
	if old := wants[k]; old != nil {
		old.Close() // the peer asks anew after its link was down: what it had is gone with its memory
	}
	wants[k] = nil
	m.serve()
}

// unasked takes a peer's UnsubscribeTrack; the link has closed the stream already.
func (m *media) unasked(from ledger.Side, b *linkpb.UnsubscribeTrack) {
	if len(b.GetScope()) != 32 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.wants[from], trackKey{ledger.Scope(b.Scope), b.GetTrack()})
}

// opened takes the beginning of a track that was subscribed to.
func (m *media) opened(from ledger.Side, s *link.UpStream) {
	if len(s.Scope()) != 32 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.remote[trackKey{ledger.Scope(s.Scope()), s.Name()}]
	if r == nil || r.side != from || r.stream != s {
		return
	}
	r.up = s.Track()
	m.apply()
}

// refused takes a peer's refusal of a track; it is asked for again when something changes.
func (m *media) refused(from ledger.Side, b *linkpb.RefusedTrack) {
	if len(b.GetScope()) != 32 {
		return
	}
	k := trackKey{ledger.Scope(b.Scope), b.GetTrack()}
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.remote[k]; r != nil && r.side == from {
		delete(m.remote, k)
	}
}

// linkUp asks again for what was wanted while there was no link.
func (m *media) linkUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.apply()
}

// person is one device's media.
type person struct {
	m             *media
	device        [32]byte
	accreditation ident.Accreditation
	push          func(*signalpb.ToClient)
	rtc           *rtc.Participant

	// guarded by media.mu
	want []string
	down []*forward.UpTrack
	cut  bool
}

// Open implements seat.Media.
func (m *media) Open(d seat.Device, push func(*signalpb.ToClient)) (seat.MediaPeer, error) {
	p := &person{m: m, device: d.Key, accreditation: d.Accreditation, push: push}
	var err error
	p.rtc, err = m.engine.NewParticipant(d.Short(), rtc.Handlers{
		UpTrack:    p.upTrack,
		UpTrackEnd: p.upTrackEnd,
		DownOffer:  p.downOffer,
		State:      p.state,
	})
	if err != nil {
		return nil, problem.New(problem.MediaFailed)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.people[d.Key] = p
	return p, nil
}

func (p *person) upTrack(track string, up *forward.UpTrack) {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	up.SetRefused(true)
	p.m.ups[upKey{p.device, track}] = up
	p.m.apply()
}

func (p *person) upTrackEnd(track string, up *forward.UpTrack) {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	k := upKey{p.device, track}
	if p.m.ups[k] != up {
		return
	}
	delete(p.m.ups, k)
	p.m.apply()
}

func (p *person) downOffer(o rtc.Offer) {
	d := &signalpb.Description{Sdp: o.SDP, Generation: o.Generation, IceRestart: o.Restart}
	for _, t := range o.Tracks {
		d.Tracks = append(d.Tracks, &signalpb.TrackMid{Mid: t.Mid, Track: t.Track})
	}
	p.push(&signalpb.ToClient{Body: &signalpb.ToClient_DownOffer{DownOffer: d}})
}

func (p *person) state(which rtc.Which, s rtc.State) {
	st := &signalpb.MediaState{}
	if which == rtc.Up {
		st.UpState = s
	} else {
		st.DownState = s
	}
	p.push(&signalpb.ToClient{Body: &signalpb.ToClient_Media{Media: st}})
}

// mediaProblem is what a client is told of a description that could not be used.
func mediaProblem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rtc.ErrTooMuch):
		return problem.New(problem.TooMany, "what", "tracks")
	}
	return problem.New(problem.MediaFailed)
}
