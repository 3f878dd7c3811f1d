package rtc

import (
	"context"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

// State of one of a participant's two connections: new, connecting, connected, disconnected, failed or closed.
type State = string

// Which of a participant's two connections.
type Which string

const (
	Up   Which = "up"
	Down Which = "down"
)

// Offer is a description of the down connection that the client must answer.
type Offer struct {
	SDP        string
	Generation uint64
	Tracks     []TrackMid
	Restart    bool
}

// Handlers are what a participant calls, from goroutines of its own; they must not block and must not call the participant's Close.
// None may be nil.
type Handlers struct {
	UpTrack    func(track string, up *forward.UpTrack) // its first packet came
	UpTrackEnd func(track string, up *forward.UpTrack)
	DownOffer  func(Offer)
	State      func(Which, State)
}

// Participant is one connected device's media: an up and a down peer connection, each made when first needed. Safe for concurrent use.
type Participant struct {
	id       string
	engine   *Engine
	handlers Handlers
	ctx      context.Context
	cancel   context.CancelFunc
	wait     sync.WaitGroup // of goroutines started here
	once     sync.Once

	up   upSide
	down downSide
}

// NewParticipant makes a participant without connections yet. id is for logs.
func (e *Engine) NewParticipant(id string, h Handlers) (*Participant, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Participant{id: id, engine: e, handlers: h, ctx: ctx, cancel: cancel}
	p.up.init(p)
	p.down.init(p)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		cancel()
		return nil, ErrClosed
	}
	e.people[p] = struct{}{}
	p.wait.Go(p.down.runNegotiate)
	return p, nil
}

// HandleUpOffer takes an offer of the client's up connection and returns the answer. tracks names every section that sends. An ICE
// restart is seen in the offer itself.
func (p *Participant) HandleUpOffer(ctx context.Context, sdp string, tracks []TrackMid) (answer string, err error) {
	return p.up.offer(ctx, sdp, tracks)
}

// SetDown says which tracks the participant is to get, the whole list each time. Offers follow through Handlers.DownOffer, one at a
// time; what changes meanwhile goes into the next.
func (p *Participant) SetDown(tracks []*forward.UpTrack) { p.down.want(tracks) }

// HandleDownAnswer takes the answer to the offer of that generation.
func (p *Participant) HandleDownAnswer(sdp string, generation uint64) error {
	return p.down.answer(sdp, generation)
}

// RestartDown makes the next offer one with new ICE credentials, at once: the client's network changed.
func (p *Participant) RestartDown() { p.down.restart() }

// RepeatDownOffer sends an offer that is still unanswered again, with its old generation: the client's socket was replaced.
func (p *Participant) RepeatDownOffer() { p.down.repeat() }

// RequestKeyFrame asks the source of one of the participant's down tracks for a key frame, throttled: its frames do not open or decode.
func (p *Participant) RequestKeyFrame(track string) {
	if s := p.down.find(track); s != nil {
		s.requestKeyFrame(time.Now())
	}
}

// DownCounters gives the verdicts of a down track, nil if there is none of that name.
func (p *Participant) DownCounters(track string) *forward.Counters {
	if s := p.down.find(track); s != nil {
		return s.counters()
	}
	return nil
}

// Flow says what becomes of a down track.
type Flow string

const (
	Waiting     Flow = "waiting"     // not negotiated yet
	Flowing     Flow = "flowing"     // packets came lately
	Silent      Flow = "silent"      // none did: the source pauses, or its path is broken
	Refused     Flow = "refused"     // this node does not let it through
	Unsupported Flow = "unsupported" // the receiver cannot take the codec
)

// silence is how long a source may send nothing before its track is called silent.
const silence = 2 * time.Second

// DownFlows tells the flow of every wanted track.
func (p *Participant) DownFlows(now time.Time) map[string]Flow { return p.down.flows(now) }

// UpTracks are the tracks that come from the participant now.
func (p *Participant) UpTracks() []*forward.UpTrack { return p.up.list() }

// tick does what time makes due on both connections.
func (p *Participant) tick(now time.Time, seqs []uint16) []uint16 {
	p.down.tick(now)
	return p.up.tick(now, seqs)
}

// Close ends both connections and waits for all that ran for them. A second call returns when the first has.
func (p *Participant) Close() {
	p.once.Do(func() {
		p.cancel()
		p.up.close()
		p.down.close()
		p.wait.Wait()
		p.engine.mu.Lock()
		delete(p.engine.people, p)
		p.engine.mu.Unlock()
	})
}

// connect makes a peer connection with the node's certificate.
func (p *Participant) connect(api *webrtc.API, which Which) (*webrtc.PeerConnection, error) {
	cert, err := p.engine.certificate(time.Now())
	if err != nil {
		return nil, err
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{
		Certificates:  []webrtc.Certificate{cert},
		BundlePolicy:  webrtc.BundlePolicyMaxBundle,
		RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire,
	})
	if err != nil {
		return nil, err
	}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { p.handlers.State(which, s.String()) })
	return pc, nil
}

// describe sets a local description and returns it with all candidates in it. With muxed ports gathering takes no time worth trickling.
func describe(ctx context.Context, pc *webrtc.PeerConnection, d webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(d); err != nil {
		return "", err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return pc.LocalDescription().SDP, nil
}
