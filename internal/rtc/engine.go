package rtc

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/webrtc/v4"
)

const (
	tick           = 20 * time.Millisecond
	reportEvery    = time.Second
	socketBuffer   = 4 << 20   // bytes the kernel may hold for the shared UDP socket
	tcpWriteBuffer = 512 << 10 // bytes a slow TCP client may be behind before packets are dropped; others must not wait for it
	firstBinding   = 10 * time.Second
)

// Engine owns the media ports of a node and makes participants. Safe for concurrent use.
type Engine struct {
	cfg      Config
	udp      ice.UDPMux
	sockets  []*socket // behind udp
	tcp      ice.TCPMux
	listener net.Listener
	up, down *webrtc.API
	cancel   context.CancelFunc
	wait     sync.WaitGroup

	mu       sync.Mutex
	cert     *webrtc.Certificate
	certMade time.Time
	people   map[*Participant]struct{}
	closed   bool
}

// New opens the ports.
func New(cfg Config) (*Engine, error) {
	e := &Engine{cfg: cfg, people: map[*Participant]struct{}{}}
	if err := e.listen(); err != nil {
		e.closePorts()
		return nil, err
	}
	var err error
	if e.up, err = e.api(true); err == nil {
		e.down, err = e.api(false)
	}
	if err != nil {
		e.closePorts()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	e.wait.Go(func() { e.runTick(ctx) })
	return e, nil
}

func (e *Engine) listen() error {
	if e.cfg.UDP == "" && e.cfg.TCP == "" {
		return fmt.Errorf("%w: neither a UDP nor a TCP address is set", ErrAddress)
	}
	if e.cfg.UDP != "" {
		mux, sockets, err := listenUDP(e.cfg)
		if err != nil {
			return err
		}
		e.udp, e.sockets = mux, sockets
	}
	if e.cfg.TCP != "" {
		addr, port, err := split("TCP media address", e.cfg.TCP)
		if err != nil {
			return err
		}
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: addr.AsSlice(), Port: port})
		if err != nil {
			return fmt.Errorf("%w: TCP media address %s: %w", ErrAddress, e.cfg.TCP, err)
		}
		e.listener = l
		e.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener: l, Logger: loggers{e.cfg.Log}.NewLogger("ice-tcp"), ReadBufferSize: 64, WriteBufferSize: tcpWriteBuffer,
			FirstStunBindTimeout: firstBinding, AliveDurationForConnFromStun: firstBinding,
		})
	}
	return nil
}

// api makes the settings of all up or all down connections.
func (e *Engine) api(up bool) (*webrtc.API, error) {
	media, err := newMediaEngine(up)
	if err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.LoggerFactory = loggers{e.cfg.Log}
	s.SetLite(true)
	s.SetIncludeLoopbackCandidate(e.cfg.Loopback)
	s.SetIPFilter(e.ipFilter())
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.DisableActiveTCP(true)
	var networks []webrtc.NetworkType
	if e.udp != nil {
		s.SetICEUDPMux(e.udp)
		networks = append(networks, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6)
	}
	if e.tcp != nil {
		s.SetICETCPMux(e.tcp)
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	s.SetNetworkTypes(networks)
	if err := announce(&s, e.cfg.Announce); err != nil {
		return nil, fmt.Errorf("%w: announced addresses: %w", ErrAddress, err)
	}
	commonSettings(&s)
	registry := &interceptor.Registry{}
	if up {
		if err := arrivalFeedback(registry); err != nil {
			return nil, err
		}
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(s), webrtc.WithInterceptorRegistry(registry)), nil
}

// commonSettings are those of node and native participant.
func commonSettings(s *webrtc.SettingEngine) {
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	s.SetReceiveMTU(receiveMTU)
	s.SetDTLSRetransmissionInterval(100 * time.Millisecond) // the first flight often comes before the far end listens; a second is long
	s.SetICETimeouts(4*time.Second, 12*time.Second, 2*time.Second)
	s.SetSRTPReplayProtectionWindow(1024) // retransmissions have their own stream; this is for long reordering
}

// arrivalFeedback tells publishers when their packets arrived, every 50 ms, and how many (RFC 3550 reports): without it a browser's
// estimate falls to 30 kbit/s.
func arrivalFeedback(r *interceptor.Registry) error {
	feedback, err := twcc.NewSenderInterceptor(twcc.SendInterval(50 * time.Millisecond))
	if err != nil {
		return err
	}
	reports, err := report.NewReceiverInterceptor()
	if err != nil {
		return err
	}
	r.Add(onlyOfHeard{})
	r.Add(feedback)
	r.Add(reports)
	return nil
}

// ipFilter keeps candidates to the addresses that are listened on.
func (e *Engine) ipFilter() func(net.IP) bool {
	udp, _, _ := split("", e.cfg.UDP)
	tcp, _, _ := split("", e.cfg.TCP)
	return func(ip net.IP) bool {
		a, ok := netip.AddrFromSlice(ip)
		if !ok || !e.cfg.allows(a) {
			return false
		}
		a = a.Unmap()
		return !udp.IsValid() && e.cfg.UDP != "" || !tcp.IsValid() && e.cfg.TCP != "" || a == udp.Unmap() || a == tcp.Unmap()
	}
}

// UDPAddrs are the addresses listened on for UDP; TCPAddr is the fallback's, nil if there is none.
func (e *Engine) UDPAddrs() []net.Addr {
	if e.udp == nil {
		return nil
	}
	return e.udp.GetListenAddresses()
}

// TCPAddr is the address of the TCP fallback, nil if there is none.
func (e *Engine) TCPAddr() net.Addr {
	if e.listener == nil {
		return nil
	}
	return e.listener.Addr()
}

// certificate gives the DTLS certificate, a new one every week: it is self-made and named by its hash in every description.
func (e *Engine) certificate(now time.Time) (webrtc.Certificate, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cert == nil || now.Sub(e.certMade) > certificateLifeDays*24*time.Hour {
		c, err := newCertificate()
		if err != nil {
			return webrtc.Certificate{}, err
		}
		e.cert, e.certMade = c, now
	}
	return *e.cert, nil
}

// runTick gives every participant its share of time, until the context ends.
func (e *Engine) runTick(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	var seqs []uint16
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := time.Now()
		for _, p := range e.list() {
			seqs = p.tick(now, seqs[:0])
		}
	}
}

func (e *Engine) list() []*Participant {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*Participant, 0, len(e.people))
	for p := range e.people {
		all = append(all, p)
	}
	return all
}

// Participants is how many there are.
func (e *Engine) Participants() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.people)
}

// Close ends all participants and closes the ports.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	for _, p := range e.list() {
		p.Close()
	}
	e.cancel()
	e.wait.Wait()
	e.closePorts()
	return nil
}

func (e *Engine) closePorts() {
	if e.udp != nil {
		_ = e.udp.Close()
	}
	if e.tcp != nil {
		_ = e.tcp.Close() // closes the listener too
	}
}
