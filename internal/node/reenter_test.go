package node

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/mlsjs"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/session/sessiontest"
	"parley.link/parley/internal/wire/signalpb"
)

// visitor is a device that goes in and out of a session on one socket, with peer connections of its own for each stay, as a page does.
type visitor struct {
	t      *testing.T
	desk   *native.Desk
	office native.Office
	device ident.Key
	signed []byte
	side   []byte
	person string
	scope  []byte
	rt     *mlsjs.Runtime

	mu     sync.Mutex
	client *rtc.Client
	join   act.ID
	stop   context.CancelFunc
	wg     sync.WaitGroup
	heard  atomic.Pointer[sync.Map] // track → *atomic.Int64 of this stay
}

func newVisitor(t *testing.T, p *party, rt *mlsjs.Runtime, scope []byte, person string, k ident.Key, signed []byte) *visitor {
	v := &visitor{t: t, desk: p.desk(k, signed), device: k, signed: signed, side: p.id[:], person: person, scope: scope, rt: rt}
	v.office = native.Office{Desk: v.desk, Author: native.Author{Device: k, Side: p.id[:], Now: time.Now}}
	go v.runPushes()
	return v
}

// runPushes answers the node's down offers with the present stay's connection; it ends with the socket.
func (v *visitor) runPushes() {
	for m := range v.desk.Pushes() {
		d := m.GetDownOffer()
		v.mu.Lock()
		c := v.client
		v.mu.Unlock()
		if d == nil || c == nil {
			continue
		}
		var mids []rtc.TrackMid
		for _, x := range d.Tracks {
			mids = append(mids, rtc.TrackMid{Mid: x.Mid, Track: x.Track})
		}
		answer, err := c.DownOffer(context.Background(), d.Sdp, mids)
		if err != nil {
			continue
		}
		_ = v.desk.Send(context.Background(), &signalpb.ToNode{Body: &signalpb.ToNode_DownAnswer{DownAnswer: &signalpb.Description{Sdp: answer, Generation: d.Generation}}})
	}
}

func (v *visitor) submit(kind act.Kind, body any) act.ID {
	v.t.Helper()
	id, err := v.office.Submit(ctx20(v.t), v.scope, kind, body)
	if err != nil {
		v.t.Fatalf("%s: %s: %v", v.person, kind, err)
	}
	return id
}

// enter joins, sends a microphone under a fresh name, and asks for another's.
func (v *visitor) enter(stay int) (track string) {
	v.t.Helper()
	leaf := canon.Encode(ident.Leaf{Version: ident.Version, Scope: v.scope, Side: v.side, Person: v.person, Device: v.device.Public()})
	m, err := v.rt.NewMember(leaf, nil, time.Now())
	must(v.t, err)
	cert := v.device.SignBody(ident.ContextSession, ident.SessionCert{Version: ident.Version, Scope: v.scope, Side: v.side, Person: v.person, Device: v.device.Public(), Key: m.SignatureKey})
	v.join = v.submit(act.KindJoin, act.Join{Accreditation: v.signed, SessionCert: canon.Encode(cert), KeyPackage: m.KeyPackage})
	track = sessiontest.TrackID(fmt.Sprint(v.person, stay))
	v.submit(act.KindPublish, act.Publish{Track: track, Source: act.SourceMicrophone, Codec: "opus"})

	heard := &sync.Map{}
	v.heard.Store(heard)
	c, err := rtc.NewClient(rtc.ClientConfig{Loopback: true}, rtc.ClientHandlers{
		Frame:    func(f rtc.Frame) { n, _ := heard.LoadOrStore(f.Track, &atomic.Int64{}); n.(*atomic.Int64).Add(1) },
		KeyFrame: func(string) {}, State: func(rtc.Which, rtc.State) {},
	})
	must(v.t, err)
	mic, err := c.AddTrack(track, "audio/opus")
	must(v.t, err)
	v.mu.Lock()
	v.client = c
	v.mu.Unlock()
	sdp, mids, err := c.UpOffer(ctx20(v.t), false)
	must(v.t, err)
	d := &signalpb.Description{Sdp: sdp, Generation: 1}
	for _, x := range mids {
		d.Tracks = append(d.Tracks, &signalpb.TrackMid{Mid: x.Mid, Track: x.Track})
	}
	r, err := v.desk.Ask(ctx20(v.t), &signalpb.ToNode{Body: &signalpb.ToNode_UpOffer{UpOffer: d}})
	if err != nil {
		v.t.Fatalf("%s: stay %d: up offer: %v", v.person, stay, err)
	}
	must(v.t, c.UpAnswer(r.GetUpAnswer().GetSdp()))
	ctx, cancel := context.WithCancel(context.Background())
	v.stop = cancel
	v.wg.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for at := uint32(0); ; at += 960 {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				mic.WriteFrame(now, at, []byte{0xfc, 1, 2, 3})
			}
		}
	})
	return track
}

func (v *visitor) want(track string) {
	v.t.Helper()
	must(v.t, v.desk.Send(context.Background(), &signalpb.ToNode{Body: &signalpb.ToNode_Want{Want: &signalpb.Want{Tracks: []*signalpb.WantTrack{{Track: track}}}}}))
}

// hears says whether some frames of a track have come in this stay.
func (v *visitor) hears(track string) bool {
	n, ok := v.heard.Load().Load(track)
	return ok && n.(*atomic.Int64).Load() > 5
}

// pack ends the stay's connections, as a page does, and says goodbye to the session.
func (v *visitor) leave() {
	v.t.Helper()
	v.pack()
	v.submit(act.KindLeave, act.Leave{Join: v.join[:]})
}

func (v *visitor) pack() {
	v.stop()
	v.wg.Wait()
	v.mu.Lock()
	c := v.client
	v.client = nil
	v.mu.Unlock()
	c.Close()
}

// A person who leaves and comes in again over the same socket has new peer connections; the node must not answer from the old ones.
func TestLeaveAndEnterAgainOnOneSocket(t *testing.T) {
	w := newWorld(t)
	o := w.a.officer(0)
	ka, sa := w.a.enrol(o, "v-prin", "principal")
	kb, sb := w.a.enrol(o, "v-adv", "adviser")
	o.Desk.Close()
	scope := w.plan(w.a.seatOf("v-prin", "principal"), w.a.seatOf("v-adv", "adviser"))
	rt, err := mlsjs.New()
	must(t, err)
	stays, goes := newVisitor(t, w.a, rt, scope, "v-prin", ka, sa), newVisitor(t, w.a, rt, scope, "v-adv", kb, sb)
	theirs := stays.enter(0)
	defer stays.pack()
	for stay := range 3 {
		mine := goes.enter(stay)
		goes.want(theirs)
		stays.want(mine)
		await(t, fmt.Sprintf("stay %d: the one who came is heard", stay), func() bool { return stays.hears(mine) })
		await(t, fmt.Sprintf("stay %d: the one who came hears", stay), func() bool { return goes.hears(theirs) })
		goes.leave()
	}
}
