package rtc

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

// ICEServer is a TURN server as the node's Welcome names it. Credential is a secret: it is never logged.
type ICEServer struct {
	URLs       []string
	Username   string
	Credential string
}

// ClientConfig says how a native participant reaches its node.
type ClientConfig struct {
	ICE       []ICEServer
	RelayOnly bool // through TURN or not at all
	Loopback  bool // offer loopback addresses too
	Insecure  bool // accept any certificate of a TURN server over TLS: tests only
	Log       *slog.Logger
}

// ClientHandlers are called from goroutines of the client's own; they must not block and must not call Close. None may be nil.
type ClientHandlers struct {
	Frame    func(Frame)        // a whole frame of somebody else; its payload is the receiver's to keep
	KeyFrame func(track string) // a receiver needs a key frame of an own track
	State    func(Which, State)
}

// Client is the far end of a Participant: an up connection that it offers and a down connection that it answers. It carries whole frames
// that are already sealed. Descriptions travel as strings; the caller brings them to the node. Safe for concurrent use.
type Client struct {
	handlers ClientHandlers
	budget   *forward.Budget
	ctx      context.Context
	cancel   context.CancelFunc
	wait     sync.WaitGroup
	once     sync.Once

	up, down  *webrtc.PeerConnection
	negotiate sync.Mutex // one description of up at a time
	answering sync.Mutex // one of down
	unused    idle       // guarded by answering

	mu      sync.Mutex
	sending map[string]*SendTrack
	named   map[string]string     // mid → track, of down
	coming  map[string]*receiving // by track
	closed  bool
}

// NewClient makes both connections, without tracks.
func NewClient(cfg ClientConfig, h ClientHandlers) (*Client, error) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{
		ctx: ctx, cancel: cancel, handlers: h, budget: forward.NewBudget(),
		sending: map[string]*SendTrack{}, named: map[string]string{}, coming: map[string]*receiving{},
	}
	var err error
	if c.up, err = c.connect(cfg, Up); err == nil {
		c.down, err = c.connect(cfg, Down)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	c.down.OnTrack(c.arrived)
	c.wait.Go(c.runTick)
	return c, nil
}

func (c *Client) connect(cfg ClientConfig, which Which) (*webrtc.PeerConnection, error) {
	media, err := newMediaEngine(false)
	if err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.LoggerFactory = loggers{cfg.Log}
	s.SetIncludeLoopbackCandidate(cfg.Loopback)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6})
	commonSettings(&s)
	if cfg.RelayOnly {
		s.SetRelayAcceptanceMinWait(0) // nothing better will come
	}
	registry := &interceptor.Registry{}
	if which == Down {
		reports, err := report.NewReceiverInterceptor()
		if err != nil {
			return nil, err
		}
		registry.Add(reports)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(s), webrtc.WithInterceptorRegistry(registry))
	conf := webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle, RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire}
	for _, i := range cfg.ICE {
		conf.ICEServers = append(conf.ICEServers, webrtc.ICEServer{URLs: i.URLs, Username: i.Username, Credential: i.Credential})
	}
	if cfg.RelayOnly {
		conf.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	pc, err := api.NewPeerConnection(conf)
	if err != nil {
		return nil, err
	}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { c.handlers.State(which, s.String()) })
	return pc, nil
}

// UpOffer describes the up connection. Bring it to the node and give the answer to UpAnswer before asking for the next.
func (c *Client) UpOffer(ctx context.Context, restart bool) (sdp string, tracks []TrackMid, err error) {
	c.negotiate.Lock()
	defer c.negotiate.Unlock()
	d, err := c.up.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return "", nil, err
	}
	if sdp, err = describe(ctx, c.up, d); err != nil {
		return "", nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, t := range c.sending {
		tracks = append(tracks, TrackMid{Mid: t.transceiver.Mid(), Track: id})
	}
	return sdp, tracks, nil
}

// UpAnswer takes the node's answer.
func (c *Client) UpAnswer(sdp string) error {
	c.negotiate.Lock()
	defer c.negotiate.Unlock()
	if err := c.up.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		return fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	c.hasten(c.up, sdp)
	return nil
}

// DownOffer takes the node's offer and returns the answer.
func (c *Client) DownOffer(ctx context.Context, sdp string, tracks []TrackMid) (answer string, err error) {
	if _, err := checkSDP(sdp); err != nil {
		return "", err
	}
	named := make(map[string]string, len(tracks))
	for _, t := range tracks {
		named[t.Mid] = t.Track
	}
	c.answering.Lock()
	defer c.answering.Unlock()
	awaitStarted(ctx, c.down)
	c.mu.Lock()
	c.named = named
	c.mu.Unlock()
	if err := c.down.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: c.unused.read(sdp)}); err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	d, err := c.down.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	if answer, err = describe(ctx, c.down, d); err == nil {
		c.hasten(c.down, sdp)
	}
	return answer, err
}

func (c *Client) hasten(pc *webrtc.PeerConnection, sdp string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.wait.Go(func() { runHasten(c.ctx, pc, sdp) })
	}
}

// RequestKeyFrame asks for a key frame of somebody else's track.
func (c *Client) RequestKeyFrame(track string) {
	c.mu.Lock()
	r := c.coming[track]
	c.mu.Unlock()
	if r != nil {
		_ = c.down.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: r.ssrc}})
	}
}

// runTick asks for what is missing and tells its clock once a second, until the client closes.
func (c *Client) runTick() {
	t := time.NewTicker(tick)
	defer t.Stop()
	var seqs []uint16
	for n := 1; ; n++ {
		select {
		case <-c.ctx.Done():
			return
		case <-t.C:
		}
		now := time.Now()
		for _, s := range c.senders() {
			s.up.Tick(now, 0, nil)
			if n%int(reportEvery/tick) == 0 {
				if r := s.sink.report(now); r != nil {
					_ = c.up.WriteRTCP([]rtcp.Packet{r})
				}
			}
		}
		for _, r := range c.receivers() {
			if seqs = r.due(now, seqs[:0]); len(seqs) > 0 {
				_ = c.down.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: r.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)}})
			}
		}
	}
}

func (c *Client) senders() (all []*SendTrack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sending {
		all = append(all, s)
	}
	return all
}

func (c *Client) receivers() (all []*receiving) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.coming {
		all = append(all, r)
	}
	return all
}

// Close ends both connections and waits for all that ran for them.
func (c *Client) Close() {
	c.once.Do(func() {
		c.mu.Lock()
		c.closed = true
		c.mu.Unlock()
		c.cancel()
		for _, s := range c.senders() {
			s.up.Close()
		}
		for _, pc := range []*webrtc.PeerConnection{c.up, c.down} {
			if pc != nil {
				_ = pc.GracefulClose()
			}
		}
		c.wait.Wait()
	})
}
