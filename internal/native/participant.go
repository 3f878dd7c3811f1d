package native

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/group"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/mlsjs"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/synth"
	"parley.link/parley/internal/wire/signalpb"
)

// Config is one native participant.
type Config struct {
	Address       string
	TLS           *tls.Config
	Device        ident.Key
	Accreditation []byte // canonical ident.Signed
	Scope         []byte // the session; empty: the first one that the node lists
	Language      string

	Number   int      // of the synthetic camera
	Initials string   // in its picture
	Tone     int      // Hz of the pilot tone; 0 silence, below 0 no microphone
	FPS      int      // of the camera; 0 none
	Screen   bool     // a second picture, as a screen share
	Sources  []string // what to receive: act.Source…; empty: everything

	// Canary is put behind every own picture before it is sealed: decoders ignore it, and where it is found, content was found.
	Canary []byte

	RelayOnly bool // media through TURN only
	Loopback  bool // offer loopback addresses: tests and the demonstration
	Trace     Trace
	Log       *slog.Logger
}

// Participant takes part in one session until its context ends, and comes back by itself when its socket or its node is lost.
type Participant struct {
	cfg    Config
	acc    ident.Accreditation
	author Author
	seal   *seal
	senses *senses
	tracks []own
	tone   *synth.Tone // of the microphone

	// Owned by Run's goroutine.
	rt       *mlsjs.Runtime
	log      *Log
	desk     *Desk
	client   *rtc.Client
	post     chan func()
	wait     sync.WaitGroup  // of the present socket
	member   *mlsjs.Member   // before the group
	join     []byte          // own newest join act
	mine     map[string]bool // every join act this process sent
	group    *mlsjs.Group
	groupID  []byte
	epoch    uint64
	leaf     uint32
	staged   *staged
	founding []byte          // group id of an own group-new not yet ordered
	unfit    map[string]bool // joins that could not be added
	oneByOne bool            // the last commit could not be made
	busy     int             // own acts of keys not yet answered or ordered
	policy   group.Policy
	updated  int64
	turn     epochSwitch
	early    map[string]readyNote // the newest of each device, bounded by the roster
	attests  attestations
	removals removals
	liars    map[string]bool // devices that attested otherwise than all others: their media is not opened any more
	named    int             // of them, as the media know
	forked   bool            // the group is split: nothing is sent any more
	doubt    bool            // somebody attests otherwise, and not all have spoken
	attested time.Time
	offered  map[string]bool // own tracks published under the present join
	joinAct  act.Signed      // what p.join is the id of
	joinSent bool            // over the present socket

	published   map[string]bool // tracks whose publish was sent over the present socket
	nextPublish time.Time       // after a refusal
	wanted      string
	caught      bool
	nextJoin    time.Time
	again       bool // end this socket and come back
	leave       chan struct{}
	leaving     bool

	mu    sync.Mutex // guards facts and open
	facts Facts
	open  *Desk // the present socket, nil between two
}

// Facts are what a participant knows of itself, for reports and tests.
type Facts struct {
	Opened       time.Time // the socket's opening of the present attempt
	Joined       bool
	Phase        string
	Epoch        uint64
	Members      int
	Keyed        bool // sends with the newest epoch
	Fingerprint  []string
	Attested     int  // members whose attestation agrees, oneself included
	Differing    int  // members whose attestation contradicts one's own
	Forked       bool // the group is split: nothing is sent any more
	Overdue      bool // a member that must go is in the group for too long: nothing is sent
	LogNext      uint64
	LogHash      [32]byte
	Problem      string
	EpochAt      time.Time
	FirstPicture time.Time
	Steps        Steps
}

// errAgain ends one attempt; the next follows.
var errAgain = errors.New("native: start again")

// errLeft ends a participant that has left by its own wish.
var errLeft = errors.New("native: left")

// Leave makes the participant leave the session; Run returns once the log says so.
func (p *Participant) Leave() {
	select {
	case p.leave <- struct{}{}:
	default: // asked already
	}
}

// New checks the configuration. The accreditation must be this device's.
func New(cfg Config) (*Participant, error) {
	acc, _, err := ident.Open[ident.Accreditation](cfg.Accreditation)
	if err != nil {
		return nil, problem.New(problem.NotAccredited)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p := &Participant{
		cfg: cfg, acc: acc, author: Author{Device: cfg.Device, Side: acc.Side, Now: time.Now},
		seal: newSeal(), senses: newSenses(max(cfg.FPS, 1), cfg.Canary), offered: map[string]bool{}, mine: map[string]bool{}, unfit: map[string]bool{}, liars: map[string]bool{},
		leave: make(chan struct{}, 1),
	}
	p.tracks = p.ownTracks()
	return p, nil
}

// Run takes part until the context ends. It returns early only for a refusal that will not change by itself.
func (p *Participant) Run(ctx context.Context) error {
	rt, err := mlsjs.New()
	if err != nil {
		return err
	}
	p.rt = rt
	if p.cfg.Tone >= 0 { // encoding takes milliseconds that a return must not wait for
		if p.tone, err = synth.NewTone(p.cfg.Tone); err != nil {
			return err
		}
	}
	delay := 100 * time.Millisecond
	for {
		began := time.Now()
		err := p.attend(ctx)
		if ctx.Err() != nil || errors.Is(err, errLeft) {
			return nil
		}
		p.note(func(f *Facts) { f.Problem = err.Error() })
		if final(err) || isDistrusted(err) {
			return err
		}
		p.cfg.Log.Info("socket ended", "why", err)
		if time.Since(began) > 5*time.Second {
			delay = 100 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay):
		}
		delay = min(2*delay, time.Second)
	}
}

// final says whether trying again is useless.
func final(err error) bool {
	switch problem.CodeOf(err) {
	case problem.AccreditationExpired, problem.AccreditationForeign, problem.AccreditationAltered, problem.AccreditationRevoked,
		problem.AccreditationDevice, problem.NotAccredited, problem.WrongVersion, problem.SessionClosed, problem.Forked,
		problem.ReplacedByOtherDevice, problem.BadSignature, problem.LinkSwappedKey:
		return true
	}
	return false
}

// attend lives through one socket.
func (p *Participant) attend(ctx context.Context) error {
	opened := time.Now()
	desk, err := OpenDesk(ctx, DeskConfig{Address: p.cfg.Address, TLS: p.cfg.TLS, Device: p.cfg.Device,
		Accreditation: p.cfg.Accreditation, Language: p.cfg.Language, Build: "native"})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	p.hold(desk)
	defer func() {
		p.hold(nil)
		cancel()
		desk.Close()
		p.closeMedia()
		p.wait.Wait()
	}()
	p.desk, p.post = desk, make(chan func(), 64)
	p.early = map[string]readyNote{}
	p.busy, p.staged, p.founding, p.wanted, p.again, p.caught = 0, nil, nil, "", false, false
	p.joinSent, p.published = false, map[string]bool{}
	p.note(func(f *Facts) { f.Opened, f.Problem, f.Steps = opened, "", Steps{Welcomed: time.Now()} })
	if err := p.openMedia(ctx); err != nil {
		return err
	}
	if err := p.watch(ctx); err != nil {
		return err
	}
	return p.loop(ctx)
}

// watch asks for the log of the session, once the node lists one.
func (p *Participant) watch(ctx context.Context) error {
	if p.log == nil {
		scope := p.cfg.Scope
		if len(scope) == 0 {
			if len(p.desk.Welcome.Sessions) == 0 {
				return nil // Sessions will come
			}
			scope = p.desk.Welcome.Sessions[0].Scope
		}
		if len(scope) != 32 {
			return problem.New(problem.UnknownSession)
		}
		p.log = NewLog([32]byte(scope), p.acc.Side, p.desk.Challenge.Node, p.desk.Welcome.Side.Delegation)
	}
	scope := p.log.State.Scope()
	_, err := p.desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Watch{Watch: &signalpb.Watch{Scope: scope[:], FromIndex: p.log.Next(), Want: true}}})
	return err
}

func (p *Participant) loop(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(p.turnOver(ctx))
		if err := p.ended(); err != nil {
			return err
		}
		if p.again {
			return errAgain
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case f := <-p.post:
			f()
		case <-p.leave:
			p.leaving = true
			p.depart(ctx)
		case <-timer.C:
		case m, ok := <-p.desk.Pushes():
			if !ok {
				return p.desk.Err()
			}
			if err := p.heed(ctx, m); err != nil {
				return err
			}
		}
	}
}

// heed takes one push of the node.
func (p *Participant) heed(ctx context.Context, m *signalpb.ToClient) error {
	switch b := m.Body.(type) {
	case *signalpb.ToClient_Sessions:
		if p.log == nil {
			p.desk.Welcome.Sessions = b.Sessions.Sessions
			return p.watch(ctx)
		}
	case *signalpb.ToClient_Entries:
		if p.log == nil {
			return nil
		}
		for _, e := range b.Entries.Entries {
			if err := p.entry(e); err != nil {
				return p.distrust(err)
			}
		}
		p.afterLog(ctx, b.Entries.CaughtUp)
	case *signalpb.ToClient_Heads:
		if p.log == nil {
			return nil
		}
		if err := p.log.Heads(b.Heads.Heads); err != nil {
			return p.distrust(err)
		}
	case *signalpb.ToClient_Outbox:
		if p.log == nil {
			return nil
		}
		if err := p.log.Outbox(b.Outbox.Items); err != nil {
			return p.distrust(err)
		}
		p.afterLog(ctx, false)
	case *signalpb.ToClient_DownOffer:
		p.answerDown(ctx, b.DownOffer)
	case *signalpb.ToClient_Relay:
		p.relayed(b.Relay)
	case *signalpb.ToClient_Problem:
		if b.Problem.Fatal {
			return &problem.Error{Code: problem.Code(b.Problem.Code), Params: b.Problem.Params}
		}
	}
	return nil
}

// background runs work beside the loop; what it returns runs on the loop, unless the socket has ended.
func (p *Participant) background(ctx context.Context, work func(context.Context) func()) {
	post := p.post
	p.wait.Go(func() {
		then := work(ctx)
		select {
		case post <- then:
		case <-ctx.Done():
		}
	})
}

func (p *Participant) hold(d *Desk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = d
}

// Submit sends one act by hand, beside what the participant does by itself, over its present socket. Its media does not follow: a
// track muted here goes on being sent, as by a client that lies.
func (p *Participant) Submit(ctx context.Context, kind act.Kind, body any) (act.ID, error) {
	p.mu.Lock()
	d := p.open
	p.mu.Unlock()
	if d == nil || len(p.cfg.Scope) == 0 {
		return act.ID{}, ErrClosed
	}
	return Office{Desk: d, Author: p.author}.Submit(ctx, p.cfg.Scope, kind, body)
}

// Canaries counts the opened pictures that carried a word.
func (p *Participant) Canaries() uint64 { return p.senses.canaries() }

// note changes the facts.
func (p *Participant) note(f func(*Facts)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.facts)
}

// Facts are the participant's present facts.
func (p *Participant) Facts() Facts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.facts
}

// Sights are what it makes of every announced track of others.
func (p *Participant) Sights() []Sight { return p.senses.list() }

// Hears says whether the newest second of a track's sound holds a tone (Hz).
func (p *Participant) Hears(track string, hz int) bool { return p.senses.hears(track, hz) }

// Verdicts counts what became of sealed frames that came.
func (p *Participant) Verdicts() map[string]uint64 { return p.seal.verdicts() }

// live is the own present join, if the session has it.
func (p *Participant) live() (session.Member, bool) {
	if p.log == nil {
		return session.Member{}, false
	}
	m, ok := p.log.State.MemberOfDevice(p.cfg.Device.Public())
	return m, ok
}
