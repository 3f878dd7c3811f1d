// Package seat is one actor per connected device: a frame comes in, its handler asks the node, frames go out.
//
// The order of a seat's life: Hello → Challenge → Prove → Welcome; before the Welcome nothing else is answered. After it a
// device is a stranger (it may enrol, and see what became of that), a person (an accreditation in force), an officer, or
// both. What each kind of frame needs is in the table of dispatch.go; each handler has a small file.
//
// A seat's own goroutine owns every field below "actor". Push and End may be called from any goroutine.
package seat

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// Protocol versions that a node speaks to clients.
const (
	ProtocolMin = 1
	ProtocolMax = 1
)

// maxStranger bounds a frame of a device that is not admitted, in bytes: a Hello with an accreditation.
const maxStranger = maxAccreditation + 4<<10

// helloWithin is how long a socket may stay without having proved a device.
const helloWithin = 10 * time.Second

// Config is what every seat of a node shares.
type Config struct {
	Greeting func() Greeting
	People   People
	Sessions Sessions
	Media    Media
	Links    Links
	Hub      *Hub
	Security func(kind, person, detail string) // one line of the security log
	Log      *slog.Logger
	Now      func() time.Time
}

// Greeting is what this node says of itself.
type Greeting struct {
	Node   []byte // key
	Side   *signalpb.Side
	Build  string
	Bundle string
	Ice    func(device []byte) []*signalpb.IceServer
}

// Device is who sits here.
type Device struct {
	Key           [32]byte
	Accreditation ident.Accreditation // zero without one
	Signed        []byte              // its canonical bytes
	OfficerOf     string              // person id in the officer's certificate, empty for others
}

// Accredited says whether the device has an accreditation in force.
func (d Device) Accredited() bool { return len(d.Signed) > 0 }

// Officer says whether the device is one of the side's two officers'.
func (d Device) Officer() bool { return d.OfficerOf != "" }

// Person is the person's id within the side.
func (d Device) Person() string {
	if d.Accreditation.Person != "" {
		return d.Accreditation.Person
	}
	return d.OfficerOf
}

// Short names a device in logs without naming a person.
func (d Device) Short() string { return hex.EncodeToString(d.Key[:4]) }

type stage int

const (
	stageNew        stage = iota // nothing heard
	stageChallenged              // Hello heard, Challenge sent
	stageStranger                // device proved, no accreditation
	stageAdmitted                // accredited, or an officer
)

// Seat is one connected device.
type Seat struct {
	cfg  *Config
	sock Socket

	left atomic.Bool // a leave of this device was taken: its media is over

	mu     sync.Mutex
	device Device // set once, at the Welcome
	ended  bool
	report *signalpb.DeviceReport

	// actor
	stage    stage
	hello    *signalpb.Hello
	nonce    []byte
	watching map[[32]byte]func() // stop, per scope
	media    MediaPeer
	relays   *rate.Limiter
	asks     *rate.Limiter
	offers   *rate.Limiter // descriptions: each costs the node an agreement of keys and candidates
	wishes   *rate.Limiter // of media: each makes the node look through all that it forwards
}

// newLimits gives a device what a person's page needs many times over.
func (s *Seat) newLimits() {
	s.relays, s.asks = rate.NewLimiter(20, 100), rate.NewLimiter(10, 40)
	s.offers, s.wishes = rate.NewLimiter(5, 40), rate.NewLimiter(20, 400)
}

// Socket is what a seat needs of a WebSocket; *web.Socket is one.
type Socket interface {
	Messages() <-chan []byte // closed when the socket ends
	Send(b []byte)           // never waits
	Queued() int             // bytes not yet written
	Close(cause error)       // after what is queued was written
	Remote() netip.Addr
}

// Run serves one socket to its end. It is what web.Config.Accept calls.
func Run(ctx context.Context, cfg *Config, sock Socket) {
	s := &Seat{cfg: cfg, sock: sock, watching: map[[32]byte]func(){}}
	s.newLimits()
	s.run(ctx)
}

func (s *Seat) run(ctx context.Context) {
	sock := s.sock
	defer s.leave()
	guard := time.NewTimer(helloWithin)
	defer guard.Stop()
	for {
		select {
		case b, ok := <-sock.Messages():
			if !ok || s.over() { // what a device had sent before it was ended is not done any more
				return
			}
			if !s.receive(ctx, b) {
				return
			}
		case <-guard.C:
			if s.stage < stageStranger {
				s.End(problem.New(problem.OutOfOrder, "want", "hello"))
				return
			}
		case <-ctx.Done():
			// The node stops, or End was called, which has said why already.
			if errors.Is(context.Cause(ctx), context.Canceled) {
				s.End(problem.New(problem.NodeStopping))
			}
			return
		}
	}
}

// receive handles one message and reports whether the seat goes on.
func (s *Seat) receive(ctx context.Context, b []byte) bool {
	if s.stage < stageAdmitted && len(b) > maxStranger { // decoding costs much more than sending
		s.End(problem.New(problem.TooLarge, "what", "frame"))
		return false
	}
	m := &signalpb.ToNode{}
	if err := proto.Unmarshal(b, m); err != nil || m.Body == nil {
		s.End(problem.New(problem.Malformed, "what", "frame"))
		return false
	}
	reply := func(r *signalpb.ToClient) {
		if m.Id == 0 && r.GetProblem() == nil {
			return
		}
		r.ReplyTo = m.Id
		s.Push(r)
	}
	err := s.dispatch(ctx, m, reply)
	if err == nil {
		return true
	}
	var fatal *fatalError
	p := asProblem(err)
	if errors.As(err, &fatal) {
		p.Fatal = true
	}
	if p.Code == string(problem.Internal) {
		s.cfg.Log.Error("a seat could not do what it was asked", "error", err, "device", s.Device().Short())
	}
	reply(&signalpb.ToClient{Body: &signalpb.ToClient_Problem{Problem: p}})
	if p.Fatal {
		s.sock.Close(err)
	}
	return !p.Fatal
}

func (s *Seat) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// Device is who sits here; zero before the Welcome.
func (s *Seat) Device() Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.device
}

// Report is the device's last word about itself, nil without one.
func (s *Seat) Report() *signalpb.DeviceReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report
}

// Push queues a frame for the device. It never waits.
func (s *Seat) Push(m *signalpb.ToClient) {
	b, err := proto.Marshal(m)
	if err != nil {
		s.cfg.Log.Error("a frame could not be encoded", "error", err)
		return
	}
	s.sock.Send(b)
}

// End tells the device why and closes its socket. Nothing more of it is done; its media stops with its actor.
func (s *Seat) End(why *problem.Error) {
	s.mu.Lock()
	again := s.ended
	s.ended = true
	s.mu.Unlock()
	if again {
		return
	}
	p := asProblem(why)
	p.Fatal = true
	s.Push(&signalpb.ToClient{Body: &signalpb.ToClient_Problem{Problem: p}})
	s.sock.Close(why)
}

// leave ends what the seat held, in the order in which the far end would notice: media, logs, presence.
func (s *Seat) leave() {
	if s.media != nil {
		s.media.Close()
	}
	for _, stop := range s.watching {
		stop()
	}
	if s.stage >= stageStranger {
		s.cfg.Hub.remove(s)
	}
}

// fatalError marks a problem after which the socket closes.
type fatalError struct{ error }

func (e *fatalError) Unwrap() error { return e.error }

func fatal(err error) error { return &fatalError{err} }

func asProblem(err error) *signalpb.Problem {
	var p *problem.Error
	if errors.As(err, &p) {
		return &signalpb.Problem{Code: string(p.Code), Params: p.Params}
	}
	return &signalpb.Problem{Code: string(problem.Internal)}
}
