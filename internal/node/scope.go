package node

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/wire/linkpb"
	"parley.link/parley/internal/wire/signalpb"
)

// answer is who waits for an act.
type answer func(id []byte, index uint64, err error)

// scope runs one ledger: inputs go in one at a time, effects come out in order.
//
// mu is held from an input to the last of its effects, the write to disk included. That is the whole of "durable, published,
// answered": nobody else can see the turn half done, and two turns cannot overtake each other on their way to a socket.
type scope struct {
	id  ledger.Scope
	env *scopeEnv

	mu       sync.Mutex
	led      *ledger.Ledger
	waiting  map[act.ID][]answer
	watchers map[*watcher]bool
	wakeAt   int64 // ms; Tick no later
	phase    string
	broken   *problem.Error // nothing can be kept any more
	views    uint64
	sealed   uint64 // entries below the newest snapshot
	set      int64  // steps of the clock that the ledger was told of
}

// scopeEnv is what all scopes share.
type scopeEnv struct {
	own     ledger.Side
	ledger  ledger.Config // Scope is filled in per scope
	store   *store.Store
	clock   *clock
	log     *slog.Logger
	send    func(side ledger.Side, f *linkpb.LinkFrame)
	viewed  func(view)                                       // what media follows; called with the scope locked
	revoked func(signed []byte)                              // an own officer's revocation stands in a log
	note    func(kind string, s ledger.Scope, detail string) // security log
	changed func()                                           // the list of sessions may read differently
	officer func(device []byte) bool
}

func newScope(env *scopeEnv, id ledger.Scope) *scope {
	cfg := env.ledger
	cfg.Scope = id
	_, set := env.clock.reading()
	return &scope{id: id, env: env, set: set, led: ledger.New(cfg), waiting: map[act.ID][]answer{}, watchers: map[*watcher]bool{}}
}

// restore replays a scope from disk, by the code that ran when its entries were new.
func restore(ctx context.Context, env *scopeEnv, id ledger.Scope) (*scope, error) {
	s := newScope(env, id)
	if err := s.replay(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *scope) replay(ctx context.Context) error {
	saved, err := s.env.store.Load(ctx, s.id)
	if err != nil {
		return err
	}
	s.findSnapshot(ctx, &saved)
	cfg := s.env.ledger
	cfg.Scope = s.id
	now, set := s.env.clock.reading()
	led, err := ledger.Replay(cfg, saved, now)
	if err != nil {
		return err
	}
	s.led, s.set = led, set
	s.resumed()
	s.phase = led.State().Phase()
	return nil
}

// turn gives the ledger one input and carries out what comes of it.
func (s *scope) turn(input func(l *ledger.Ledger, now int64) []ledger.Effect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return
	}
	if s.carryOut(input(s.led, s.time())) {
		s.settle()
	}
}

// time is now for the ledger. If the clock was set, everything here that waits is moved along first. mu is held.
func (s *scope) time() int64 {
	now, set := s.env.clock.reading()
	if by := set - s.set; by != 0 {
		s.set = set
		s.wakeAt += by
		s.led.ClockSet(by)
	}
	return now
}

// carryOut reports whether the state may have changed: it never does without something being kept or published.
func (s *scope) carryOut(queue []ledger.Effect) (changed bool) {
	for len(queue) > 0 {
		e := queue[0]
		queue = queue[1:]
		switch e := e.(type) {
		case ledger.Persist:
			changed = true
			queue = append(s.persist(e), queue...)
		case ledger.ToPeer:
			s.env.send(e.Side, e.Frame)
		case ledger.ToClients:
			changed = true
			s.publish(e)
		case ledger.Answer:
			s.answer(e)
		case ledger.Alarm:
			s.alarm(e)
		case ledger.Wake:
			s.wakeAt = e.At
		}
	}
	return changed
}

// persist writes a turn. When the disk refuses, those who wait are told why, and the ledger is made anew from what the disk
// does hold: the very path of a restart.
func (s *scope) persist(e ledger.Persist) []ledger.Effect {
	ctx := context.Background() // a turn is written whole even while the node stops
	err := s.env.store.Append(ctx, s.id, s.env.own, e.Records)
	if err == nil {
		return s.led.Persisted(e.Token)
	}
	code := problem.CodeOf(err)
	s.env.log.Error("a turn could not be written", "scope", short(s.id), "error", err)
	s.env.note("not-written", s.id, string(code))
	out := s.led.Failed(e.Token, code)
	if err := s.replay(ctx); err != nil {
		s.env.log.Error("a session cannot go on", "scope", short(s.id), "error", err)
		s.broken = problem.New(problem.CodeOf(err))
	}
	s.wakeAt = s.env.clock.now()
	return out
}

func (s *scope) answer(a ledger.Answer) {
	var err error
	if a.Problem != nil {
		err = a.Problem
	}
	for _, f := range s.waiting[a.Act] {
		f(a.Act[:], a.Index, err)
	}
	delete(s.waiting, a.Act)
}

// settle tells media and the session list what the turn changed.
func (s *scope) settle() {
	st := s.led.State()
	if p := st.Phase(); p != s.phase {
		s.phase = p
		s.env.changed()
	}
	s.views++
	s.env.viewed(s.view())
	s.seal(sealEvery)
}

// publish sends a turn to this node's own clients, and looks for what the node itself must do about it.
func (s *scope) publish(e ledger.ToClients) {
	for _, entry := range e.Entries {
		s.lookAt(entry.Bytes)
	}
	for _, item := range e.Outbox {
		s.lookAtOutbox(item)
	}
	for w := range s.watchers {
		w.pump(s)
		if w.caughtUp {
			w.more(s, e)
		}
	}
}

func (s *scope) lookAt(entry []byte) {
	var e act.Entry
	if canon.Decode(entry, &e) != nil {
		return
	}
	if e.From == act.ItemOutbox {
		s.lookAtOutbox(e.Item)
	}
}

func (s *scope) lookAtOutbox(item []byte) {
	var so act.SignedOutbox
	var o act.Outbox
	var sig act.Signed
	var a act.Act
	if canon.Decode(item, &so) != nil || canon.Decode(so.Item, &o) != nil || canon.Decode(o.Act, &sig) != nil || canon.Decode(sig.Act, &a) != nil {
		return
	}
	if a.Kind != act.KindRevoke || !bytes.Equal(a.Side, s.env.own[:]) {
		return
	}
	var b act.Revoke
	if canon.Decode(a.Body, &b) == nil {
		s.env.revoked(b.Revocation)
	}
}

// alarm names to people and to the security log what the ledger saw. What is over again says itself by the state of the session.
func (s *scope) alarm(a ledger.Alarm) {
	s.env.log.Warn("alarm", "scope", short(s.id), "kind", string(a.Kind), "of", short(a.Of))
	s.env.note("alarm", s.id, string(a.Kind)+" of side "+short(a.Of))
	code, ok := map[ledger.AlarmKind]problem.Code{
		ledger.AlarmLinkLost: problem.LinkLost, ledger.AlarmHeldBack: problem.HeldBack, ledger.AlarmFork: problem.Forked,
		ledger.AlarmRules: problem.Forked, ledger.AlarmGap: problem.Gap, ledger.AlarmClock: problem.ClockOff, ledger.AlarmNotCountered: problem.HeldBack,
	}[a.Kind]
	if !ok {
		return
	}
	p := &signalpb.Problem{Code: string(code), Params: map[string]string{"side": full(a.Of)}, Scope: s.id[:]}
	if a.Act != (act.ID{}) {
		p.Act = a.Act[:]
	}
	for w := range s.watchers {
		w.to.Push(&signalpb.ToClient{Body: &signalpb.ToClient_Problem{Problem: p}})
	}
}

// submit takes an act of an own device. f is called once.
func (s *scope) submit(id act.ID, signed []byte, f answer) {
	taken := false
	s.turn(func(l *ledger.Ledger, now int64) []ledger.Effect {
		taken = true
		s.waiting[id] = append(s.waiting[id], f)
		return l.Submit(signed, now)
	})
	if !taken {
		s.mu.Lock()
		broken := s.broken
		s.mu.Unlock()
		f(id[:], 0, broken)
	}
}

// quietWake is when to ask again whether a closed session is still closed.
const quietWake = 60_000

// tick lets time pass for the ledger and for watchers whose devices had no room.
func (s *scope) tick() {
	s.mu.Lock()
	due := s.time() >= s.wakeAt
	for w := range s.watchers {
		if w.next < w.known(s) {
			w.pump(s)
		}
	}
	s.mu.Unlock()
	if due {
		s.turn(func(l *ledger.Ledger, now int64) []ledger.Effect {
			if l.Quiet(now) {
				s.wakeAt = now + quietWake
				return nil
			}
			return l.Tick(now)
		})
	}
}

// read looks at the state without changing it.
func (s *scope) read(f func(l *ledger.Ledger)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.led)
}

// info is the session as a list shows it; ok is false before there is an entry.
func (s *scope) info() (i *signalpb.SessionInfo, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plan, ok := s.led.State().Plan()
	if !ok {
		return nil, false
	}
	return &signalpb.SessionInfo{
		Scope: s.id[:], Title: plan.Title, State: s.led.State().Phase(), Status: plan.Status, From: plan.From, Until: s.led.State().Until(),
	}, true
}

// may says whether a device may follow this log: an officer, or somebody with a seat. It is asked of the state in effect, so
// that the plan's entry is enough and an admit is too.
func (s *scope) may(d seat.Device) bool {
	if d.Officer() {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seat := range s.led.State().Seats() {
		if bytes.Equal(seat.Side, s.env.own[:]) && seat.Person == d.Person() {
			return true
		}
	}
	return false
}

// live are the own devices that are in the session.
func (s *scope) live() map[[32]byte][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[[32]byte][]byte{}
	for _, m := range s.led.State().Present() {
		if bytes.Equal(m.Side, s.env.own[:]) {
			out[[32]byte(m.Device)] = m.Join
		}
	}
	return out
}

// lost says that an own device has gone, if it is still that very join.
func (s *scope) lost(join []byte) {
	s.turn(func(l *ledger.Ledger, now int64) []ledger.Effect { return l.Lost(join, now) })
}

// member says whether a device of a side is live in the session.
func (s *scope) member(side, device []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.led.State().MemberOfDevice(device)
	return ok && bytes.Equal(m.Side, side)
}

// group is the session's present group.
func (s *scope) group() session.GroupView {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.led.State().Group()
}

// peers are the other sides of the session.
func (s *scope) peers() []ledger.Side {
	s.mu.Lock()
	defer s.mu.Unlock()
	return peersOf(s.led.State(), s.env.own)
}

func peersOf(st *session.State, own ledger.Side) []ledger.Side {
	var out []ledger.Side
	for _, id := range st.SideIDs() {
		if !bytes.Equal(id, own[:]) {
			out = append(out, ledger.Side(id))
		}
	}
	return out
}

func millis(t time.Time) int64 { return t.UnixMilli() }
