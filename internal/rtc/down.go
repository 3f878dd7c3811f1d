package rtc

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

const (
	maxDownTracks  = 128
	answerPatience = 30 * time.Second
)

// downSide is a participant's down connection: the node offers, the client receives.
//
// Negotiation is one goroutine, runNegotiate: it alone adds and removes tracks, makes offers and waits for answers. Whoever wants
// something writes it down and kicks.
type downSide struct {
	p      *Participant
	budget *forward.Budget
	kick   chan struct{}

	mu         sync.Mutex
	pc         *webrtc.PeerConnection
	wanted     []*forward.UpTrack
	dirty      bool
	again      bool // with an ICE restart
	generation uint64
	open       *Offer        // unanswered
	answered   chan struct{} // closed when open was answered
	closed     bool
	sinks      map[string]*sink

	// Only used by runNegotiate:
	senders   map[string]*webrtc.RTPTransceiver // by track
	transport *webrtc.DTLSTransport             // all senders share it

	ticks int // only used by Engine.runTick
}

func (d *downSide) init(p *Participant) {
	d.p, d.budget, d.kick = p, forward.NewBudget(), make(chan struct{}, 1)
	d.sinks, d.senders = map[string]*sink{}, map[string]*webrtc.RTPTransceiver{}
}

func (d *downSide) want(tracks []*forward.UpTrack) {
	d.mu.Lock()
	d.wanted, d.dirty = slices.Clone(tracks[:min(len(tracks), maxDownTracks)]), true
	d.mu.Unlock()
	d.wake()
}

func (d *downSide) restart() {
	d.mu.Lock()
	d.again = d.pc != nil
	d.mu.Unlock()
	d.wake()
}

func (d *downSide) repeat() {
	d.mu.Lock()
	open := d.open
	d.mu.Unlock()
	if open != nil {
		d.p.handlers.DownOffer(*open)
	}
}

func (d *downSide) wake() {
	select {
	case d.kick <- struct{}{}:
	default: // somebody kicked already
	}
}

// runNegotiate makes the connection what is wanted, one offer at a time, until the participant closes.
func (d *downSide) runNegotiate() {
	for {
		select {
		case <-d.p.ctx.Done():
			return
		case <-d.kick:
		}
		for d.p.ctx.Err() == nil {
			wanted, again, ok := d.take()
			if !ok {
				break
			}
			if err := d.round(wanted, again); err != nil && d.p.ctx.Err() == nil {
				d.p.handlers.State(Down, "failed")
			}
		}
	}
}

func (d *downSide) take() (wanted []*forward.UpTrack, again, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.dirty && !d.again {
		return nil, false, false
	}
	again = d.again
	d.dirty, d.again = false, false
	return d.wanted, again, true
}

func (d *downSide) round(wanted []*forward.UpTrack, again bool) error {
	pc, err := d.connection(len(wanted) > 0)
	if err != nil || pc == nil {
		return err
	}
	changed, err := d.apply(pc, wanted)
	if err != nil {
		return err
	}
	if !changed && !again {
		return nil
	}
	description, err := pc.CreateOffer(&webrtc.OfferOptions{ICERestart: again})
	if err != nil {
		return err
	}
	sdp, err := describe(d.p.ctx, pc, description)
	if err != nil {
		return err
	}
	offer := Offer{SDP: sdp, Restart: again}
	for track, t := range d.senders {
		offer.Tracks = append(offer.Tracks, TrackMid{Mid: t.Mid(), Track: track})
	}
	answered := make(chan struct{})
	d.mu.Lock()
	d.generation++
	offer.Generation = d.generation
	d.open, d.answered = &offer, answered
	d.mu.Unlock()
	d.p.handlers.DownOffer(offer)

	patience := time.NewTimer(answerPatience)
	defer patience.Stop()
	for {
		select {
		case <-answered:
			return nil
		case <-d.p.ctx.Done():
			return d.p.ctx.Err()
		case <-patience.C:
			d.p.handlers.State(Down, "failed") // and wait on: nothing else can be offered before
		}
	}
}

func (d *downSide) connection(make bool) (*webrtc.PeerConnection, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, ErrClosed
	}
	if d.pc != nil || !make {
		return d.pc, nil
	}
	pc, err := d.p.connect(d.p.engine.down, Down)
	d.pc = pc
	return pc, err
}

// apply adds and removes senders. An m-line that is free is used again, with a fresh sender: a sender's SSRC has its numbers used up by
// the track before.
func (d *downSide) apply(pc *webrtc.PeerConnection, wanted []*forward.UpTrack) (changed bool, err error) {
	keep := map[string]*forward.UpTrack{}
	for _, up := range wanted {
		if !up.Closed() {
			keep[up.ID()] = up
		}
	}
	for track, t := range d.senders {
		s := d.find(track)
		if keep[track] != nil && s != nil && s.up == keep[track] {
			delete(keep, track)
			continue
		}
		if err := pc.RemoveTrack(t.Sender()); err != nil {
			return changed, fmt.Errorf("rtc: take track off: %w", err)
		}
		d.forget(track)
		changed = true
	}
	for _, up := range wanted {
		if keep[up.ID()] == nil {
			continue
		}
		delete(keep, up.ID())
		if err := d.add(pc, up); err != nil {
			return changed, fmt.Errorf("rtc: put track on: %w", err)
		}
		changed = true
	}
	return changed, nil
}

func (d *downSide) add(pc *webrtc.PeerConnection, up *forward.UpTrack) error {
	s := newSink(up, d.budget)
	t, err := d.place(pc, s)
	if err != nil {
		return err
	}
	d.senders[up.ID()] = t
	d.mu.Lock()
	d.sinks[up.ID()] = s
	d.mu.Unlock()
	sender := t.Sender()
	d.p.wait.Go(func() { s.runRTCP(sender) })
	return nil
}

func (d *downSide) place(pc *webrtc.PeerConnection, s *sink) (*webrtc.RTPTransceiver, error) {
	for _, t := range pc.GetTransceivers() {
		if t.Kind() != s.Kind() || t.Direction() != webrtc.RTPTransceiverDirectionInactive || t.Mid() == "" || d.transport == nil {
			continue
		}
		sender, err := d.p.engine.down.NewRTPSender(s, d.transport)
		if err != nil {
			return nil, err
		}
		return t, t.SetSender(sender, s)
	}
	t, err := pc.AddTransceiverFromTrack(s, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err == nil {
		d.transport = t.Sender().Transport()
	}
	return t, err
}

func (d *downSide) forget(track string) {
	delete(d.senders, track)
	d.mu.Lock()
	s := d.sinks[track]
	delete(d.sinks, track)
	d.mu.Unlock()
	if s != nil {
		s.close()
	}
}

func (d *downSide) answer(raw string, generation uint64) error {
	if _, err := checkSDP(raw); err != nil {
		return err
	}
	d.mu.Lock()
	if d.open == nil || d.open.Generation != generation || d.closed {
		d.mu.Unlock()
		return ErrStale
	}
	pc, answered, open := d.pc, d.answered, d.open
	d.open = nil
	d.mu.Unlock()
	err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: raw})
	if err != nil && pc.SignalingState() == webrtc.SignalingStateHaveLocalOffer {
		// The offer still stands: a better answer may come, and nothing else can be offered before.
		d.mu.Lock()
		d.open = open
		d.mu.Unlock()
		return fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	close(answered)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	return nil
}

func (d *downSide) find(track string) *sink {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sinks[track]
}

func (d *downSide) flows(now time.Time) map[string]Flow {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[string]Flow, len(d.wanted))
	for _, up := range d.wanted {
		s := d.sinks[up.ID()]
		switch {
		case s != nil && s.unsupported.Load():
			all[up.ID()] = Unsupported
		case s == nil || s.track() == nil:
			all[up.ID()] = Waiting
		case up.Refused():
			all[up.ID()] = Refused
		case now.Sub(up.LastPacket()) > silence:
			all[up.ID()] = Silent
		default:
			all[up.ID()] = Flowing
		}
	}
	return all
}

// tick sends sender reports once a second.
func (d *downSide) tick(now time.Time) {
	d.ticks++
	if d.ticks%int(reportEvery/tick) != 0 {
		return
	}
	d.mu.Lock()
	pc := d.pc
	var reports []rtcp.Packet
	for _, s := range d.sinks {
		if r := s.report(now); r != nil {
			reports = append(reports, r)
		}
	}
	d.mu.Unlock()
	for r := range slices.Chunk(reports, 16) {
		_ = pc.WriteRTCP(r)
	}
}

func (d *downSide) close() {
	d.mu.Lock()
	d.closed = true
	pc := d.pc
	sinks := d.sinks
	d.sinks = map[string]*sink{}
	d.mu.Unlock()
	if pc != nil {
		_ = pc.GracefulClose()
	}
	for _, s := range sinks {
		s.close()
	}
}
