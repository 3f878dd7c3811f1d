package seat

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/store"
	"parley.link/parley/internal/wire/signalpb"
)

// line is a socket in memory.
type line struct {
	in     chan []byte
	out    []*signalpb.ToClient
	closed error
}

func (l *line) Messages() <-chan []byte { return l.in }
func (l *line) Queued() int             { return 0 }
func (l *line) Close(cause error)       { l.closed = cause }
func (l *line) Remote() netip.Addr      { return netip.MustParseAddr("192.0.2.1") }
func (l *line) Send(b []byte) {
	m := &signalpb.ToClient{}
	if proto.Unmarshal(b, m) == nil {
		l.out = append(l.out, m)
	}
}

func (l *line) last() *signalpb.ToClient {
	if len(l.out) == 0 {
		return nil
	}
	return l.out[len(l.out)-1]
}

// desk is a node that takes everything and remembers that it was asked.
type desk struct{ asked map[string]int }

func (d *desk) note(what string) { d.asked[what]++ }

func (d *desk) Admit(_ context.Context, device [32]byte, shown []byte) (Device, error) {
	return Device{Key: device, Signed: shown}, nil
}
func (d *desk) Enrol(_ context.Context, e store.Enrolment, _ netip.Addr) (store.Enrolment, error) {
	d.note("enrol")
	return e, nil
}
func (d *desk) Enrolled(context.Context, [32]byte) (store.Enrolment, error) {
	return store.Enrolment{}, store.ErrNotFound
}
func (d *desk) List(Device) []*signalpb.SessionInfo { return nil }
func (d *desk) Watch(Device, [32]byte, uint64, Watcher) (func(), error) {
	d.note("watch")
	return func() { d.note("unwatch") }, nil
}
func (d *desk) Submit(_ Device, _ [32]byte, _ []byte, answer func([]byte, uint64, error)) {
	d.note("submit")
	answer(nil, 0, nil)
}
func (d *desk) Relay(_ Device, _ [32]byte, r *signalpb.Relay) error {
	d.note("relay " + r.Kind)
	return nil
}
func (d *desk) Open(Device, func(*signalpb.ToClient)) (MediaPeer, error) {
	d.note("media")
	return peer{}, nil
}
func (d *desk) Status(context.Context) []*signalpb.Link              { return nil }
func (d *desk) Add(context.Context, Device, []byte, string) error    { d.note("add"); return nil }
func (d *desk) Verify(context.Context, Device, []byte, string) error { d.note("verify"); return nil }

type peer struct{}

func (peer) UpOffer(context.Context, *signalpb.Description) (*signalpb.Description, error) {
	return &signalpb.Description{}, nil
}
func (peer) DownAnswer(context.Context, *signalpb.Description) error { return nil }
func (peer) Want([]*signalpb.WantTrack) error                        { return nil }
func (peer) KeyFrame(string) error                                   { return nil }
func (peer) Close()                                                  {}

func newSeat(key [32]byte, at stage) (*Seat, *line, *desk) {
	d := &desk{asked: map[string]int{}}
	cfg := &Config{
		Greeting: func() Greeting {
			return Greeting{Node: make([]byte, 32), Side: &signalpb.Side{Id: make([]byte, 32)}, Ice: func([]byte) []*signalpb.IceServer { return nil }}
		},
		People: d, Sessions: d, Media: d, Links: d, Hub: NewHub(func(Device, bool) {}), Security: func(string, string, string) {},
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	l := &line{in: make(chan []byte)}
	s := &Seat{cfg: cfg, sock: l, watching: map[[32]byte]func(){}, stage: at}
	s.newLimits()
	s.device = Device{Key: key}
	if at == stageAdmitted {
		s.device.Signed = []byte{1}
	}
	return s, l, d
}

func say(t testing.TB, s *Seat, m *signalpb.ToNode) bool {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return s.receive(context.Background(), b)
}

func submitOf(k ident.Key, scope []byte) *signalpb.ToNode {
	a := act.Encode(act.Act{Version: 1, Scope: scope, Kind: act.KindLeave, Side: make([]byte, 32), Key: k.Public(), Nonce: make([]byte, 16), Body: act.Encode(act.Leave{})})
	return &signalpb.ToNode{Id: 9, Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{Scope: scope, Act: canon.Encode(act.Signed{Act: a, Sig: k.Sign(act.ContextAct, a)})}}}
}

func TestBoundsOfWhatAClientSays(t *testing.T) {
	k, _ := ident.GenerateKey(rand.Reader)
	other, _ := ident.GenerateKey(rand.Reader)
	scope := make([]byte, 32)
	track := "AAAAAAAAAAAAAAAAAAAAAA"
	many := make([]*signalpb.WantTrack, maxTracks+1)
	for i := range many {
		many[i] = &signalpb.WantTrack{Track: track}
	}
	for name, tt := range map[string]struct {
		m    *signalpb.ToNode
		want problem.Code
	}{
		"own act":                             {submitOf(k, scope), ""},
		"another's act":                       {submitOf(other, scope), problem.NotYours},
		"act of another scope":                {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{Scope: append([]byte{1}, scope[1:]...), Act: submitOf(k, scope).GetSubmit().Act}}}, problem.UnknownSession},
		"rubbish act":                         {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{Scope: scope, Act: []byte{1}}}}, problem.Malformed},
		"oversized act":                       {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Submit{Submit: &signalpb.Submit{Scope: scope, Act: make([]byte, act.MaxAct+1)}}}, problem.TooLarge},
		"short scope":                         {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Watch{Watch: &signalpb.Watch{Scope: []byte{1}, Want: true}}}, problem.Malformed},
		"relay":                               {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Relay{Relay: &signalpb.Relay{Scope: scope, Kind: "ready"}}}, ""},
		"relay of a kind that only nodes say": {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Relay{Relay: &signalpb.Relay{Scope: scope, Kind: "vote"}}}, problem.Malformed},
		"oversized relay":                     {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Relay{Relay: &signalpb.Relay{Scope: scope, Kind: "ready", Payload: make([]byte, MaxRelay+1)}}}, problem.TooLarge},
		"too many tracks":                     {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Want{Want: &signalpb.Want{Tracks: many}}}, problem.TooMany},
		"odd track name":                      {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_KeyFrame{KeyFrame: &signalpb.KeyFrame{Track: "x"}}}, problem.Malformed},
		"oversized SDP":                       {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_UpOffer{UpOffer: &signalpb.Description{Sdp: string(make([]byte, maxSDP+1))}}}, problem.TooLarge},
		"officer's work":                      {&signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Officer{Officer: &signalpb.Officer{}}}, problem.NotOfficer},
	} {
		s, l, _ := newSeat([32]byte(k.Public()), stageAdmitted)
		if !say(t, s, tt.m) || l.closed != nil {
			t.Errorf("%s: the seat ended", name)
		}
		got := problem.Code(l.last().GetProblem().GetCode())
		if got != tt.want {
			t.Errorf("%s: want %q, got %q", name, tt.want, got)
		}
	}
}

func TestRelaysAndActsAreRateLimited(t *testing.T) {
	k, _ := ident.GenerateKey(rand.Reader)
	s, l, d := newSeat([32]byte(k.Public()), stageAdmitted)
	now := time.Unix(1e9, 0)
	s.cfg.Now = func() time.Time { return now }
	for range 200 {
		say(t, s, &signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Relay{Relay: &signalpb.Relay{Scope: make([]byte, 32), Kind: "ready"}}})
		say(t, s, submitOf(k, make([]byte, 32)))
	}
	if d.asked["relay ready"] != 100 || d.asked["submit"] != 40 || l.last().GetProblem().GetCode() != string(problem.TooMany) {
		t.Error(d.asked, l.last())
	}
	now = now.Add(time.Second)
	say(t, s, submitOf(k, make([]byte, 32)))
	if d.asked["submit"] != 41 {
		t.Error("a second later it is still refused")
	}
}

// A device that was ended (revoked, expired) may have sent more before it heard; none of it is done.
func TestNothingIsDoneAfterTheEnd(t *testing.T) {
	k, _ := ident.GenerateKey(rand.Reader)
	d := &desk{asked: map[string]int{}}
	for range 32 { // select takes either of two ready channels
		s, l, _ := newSeat([32]byte(k.Public()), stageAdmitted)
		s.cfg.Sessions = d
		ended := make(chan struct{})
		l.in = make(chan []byte, 8)
		b, _ := proto.Marshal(submitOf(k, make([]byte, 32)))
		for range 8 {
			l.in <- b
		}
		s.End(problem.New(problem.AccreditationRevoked))
		go func() { defer close(ended); s.run(t.Context()) }()
		<-ended
	}
	if d.asked["submit"] != 0 {
		t.Errorf("%d acts were taken from ended devices", d.asked["submit"])
	}
}

func TestStrangersSayLittle(t *testing.T) {
	k, _ := ident.GenerateKey(rand.Reader)
	big := &signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: "X", Language: "en", Note: string(make([]byte, maxStranger))}}}
	s, l, _ := newSeat([32]byte(k.Public()), stageStranger)
	if say(t, s, big) || problem.Code(l.last().GetProblem().GetCode()) != problem.TooLarge {
		t.Error("a stranger's large frame is decoded")
	}
	s, l, d := newSeat([32]byte(k.Public()), stageAdmitted)
	now := time.Unix(1e9, 0)
	s.cfg.Now = func() time.Time { return now }
	for range 100 {
		say(t, s, &signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_UpOffer{UpOffer: &signalpb.Description{}}})
	}
	if problem.Code(l.last().GetProblem().GetCode()) != problem.TooMany || d.asked["media"] != 1 {
		t.Error("a hundred descriptions at once")
	}
}

func TestMediaIsMadeAnewAfterALeave(t *testing.T) {
	k, _ := ident.GenerateKey(rand.Reader)
	s, _, d := newSeat([32]byte(k.Public()), stageAdmitted)
	want := &signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Want{Want: &signalpb.Want{}}}
	say(t, s, want)
	say(t, s, want)
	say(t, s, submitOf(k, make([]byte, 32))) // a leave
	say(t, s, want)
	say(t, s, want)
	if d.asked["media"] != 2 {
		t.Errorf("media made %d times", d.asked["media"])
	}
}

func TestLeavingEndsWhatTheSeatHeld(t *testing.T) {
	k, _ := ident.GenerateKey(rand.Reader)
	s, _, d := newSeat([32]byte(k.Public()), stageAdmitted)
	for i := range maxWatching + 1 {
		say(t, s, &signalpb.ToNode{Id: 1, Body: &signalpb.ToNode_Watch{Watch: &signalpb.Watch{Scope: append([]byte{byte(i)}, make([]byte, 31)...), Want: true}}})
	}
	if d.asked["watch"] != maxWatching {
		t.Errorf("%d logs watched at once", d.asked["watch"])
	}
	s.leave()
	if d.asked["unwatch"] != maxWatching {
		t.Errorf("%d of %d watches ended", d.asked["unwatch"], maxWatching)
	}
}

// Whatever bytes come, at whatever stage: no panic, and a stranger reaches nothing but enrolment.
func FuzzFrame(f *testing.F) {
	k, _ := ident.GenerateKey(rand.Reader)
	for _, m := range []*signalpb.ToNode{
		submitOf(k, make([]byte, 32)),
		{Id: 1, Body: &signalpb.ToNode_Hello{Hello: &signalpb.Hello{ProtocolMax: 1, ProtocolMin: 1, Device: k.Public()}}},
		{Id: 1, Body: &signalpb.ToNode_Enrol{Enrol: &signalpb.Enrol{Name: "X", Language: "en"}}},
		{Id: 1, Body: &signalpb.ToNode_Officer{Officer: &signalpb.Officer{Ask: &signalpb.Officer_Accredit{Accredit: &signalpb.Accredit{}}}}},
		{Id: 1, Body: &signalpb.ToNode_Report{Report: &signalpb.DeviceReport{Hears: []string{"x"}}}},
		{},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, byte(0))
		f.Add(b, byte(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, at byte) {
		s, l, d := newSeat([32]byte(k.Public()), stage(at%4))
		s.hello, s.nonce = &signalpb.Hello{Device: k.Public()}, make([]byte, 32)
		goes := s.receive(context.Background(), b)
		if !goes && l.closed == nil {
			t.Fatal("the seat ended and the socket did not")
		}
		if stage(at%4) < stageAdmitted {
			for what := range d.asked {
				if what != "enrol" {
					t.Fatalf("a stranger reached %q", what)
				}
			}
		}
	})
}
