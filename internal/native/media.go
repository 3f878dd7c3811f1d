package native

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/sframe"
	"parley.link/parley/internal/synth"
	"parley.link/parley/internal/wire/signalpb"
)

// openMedia makes both peer connections and starts the synthetic devices: media does not wait for the keys, only its sealing does.
func (p *Participant) openMedia(ctx context.Context) error {
	var ice []rtc.ICEServer
	for _, s := range p.desk.Welcome.Ice {
		ice = append(ice, rtc.ICEServer{URLs: s.Urls, Username: s.Username, Credential: s.Credential})
	}
	c, err := rtc.NewClient(rtc.ClientConfig{ICE: ice, RelayOnly: p.cfg.RelayOnly, Loopback: p.cfg.Loopback, Log: p.cfg.Log}, rtc.ClientHandlers{
		Frame:    p.frame,
		KeyFrame: func(string) {}, // every synthetic picture is a key frame
		State:    p.mediaState,
	})
	if err != nil {
		return err
	}
	p.client = c
	for i, o := range p.tracks {
		t, err := c.AddTrack(o.id, o.mime)
		if err != nil {
			return err
		}
		if o.codec == sframe.Opus {
			p.wait.Go(func() { p.runMicrophone(ctx, o, t, p.tone) })
		} else {
			v := synth.NewVideo(p.cfg.Number+1000*(i/2), p.cfg.Initials, max(p.cfg.FPS, 1))
			p.wait.Go(func() { p.runCamera(ctx, o, t, v) })
		}
	}
	if len(p.tracks) == 0 {
		return nil
	}
	desk := p.desk
	p.background(ctx, func(ctx context.Context) func() {
		err := p.offerUp(ctx, desk, c, false)
		return func() {
			if err != nil {
				p.note(func(f *Facts) { f.Problem = "media: " + err.Error() })
			}
		}
	})
	return nil
}

func (p *Participant) offerUp(ctx context.Context, desk *Desk, c *rtc.Client, restart bool) error {
	sdp, mids, err := c.UpOffer(ctx, restart)
	if err != nil {
		return err
	}
	d := &signalpb.Description{Sdp: sdp, Generation: 1, IceRestart: restart}
	for _, m := range mids {
		d.Tracks = append(d.Tracks, &signalpb.TrackMid{Mid: m.Mid, Track: m.Track})
	}
	r, err := desk.Ask(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_UpOffer{UpOffer: d}})
	if err != nil {
		return err
	}
	return c.UpAnswer(r.GetUpAnswer().GetSdp())
}

func (p *Participant) answerDown(ctx context.Context, d *signalpb.Description) {
	desk, c := p.desk, p.client
	p.background(ctx, func(ctx context.Context) func() {
		var mids []rtc.TrackMid
		for _, t := range d.Tracks {
			mids = append(mids, rtc.TrackMid{Mid: t.Mid, Track: t.Track})
		}
		sdp, err := c.DownOffer(ctx, d.Sdp, mids)
		if err == nil {
			err = desk.Send(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_DownAnswer{DownAnswer: &signalpb.Description{Sdp: sdp, Generation: d.Generation}}})
		}
		return func() {
			if err != nil {
				p.note(func(f *Facts) { f.Problem = "down media: " + err.Error() })
			}
		}
	})
}

func (p *Participant) closeMedia() {
	if p.client != nil {
		p.client.Close()
		p.client = nil
	}
}

// frame opens what came, on a goroutine of the media driver.
func (p *Participant) frame(f rtc.Frame) {
	plain, ok, held := p.seal.open(f, time.Now())
	if held {
		return
	}
	if p.cfg.Trace.Came != nil {
		p.cfg.Trace.Came(f, ok, time.Now())
	}
	p.senses.frame(f, plain, ok)
	if ok && strings.HasPrefix(strings.ToLower(f.MimeType), "video/") {
		p.note(func(x *Facts) {
			if x.FirstPicture.Before(x.Opened) {
				x.FirstPicture = f.Whole
			}
		})
	}
}

// announce tells the seal and the senses what the log says of every track.
func (p *Participant) announce() {
	st := p.log.State
	leaves := st.Group().Leaves
	tracks := map[string]announced{}
	var sights []Sight
	for _, t := range st.Tracks() {
		m, ok := st.Member(t.Join)
		if !ok || string(t.Join) == string(p.join) {
			continue
		}
		a := announced{context: sframe.TrackContext(t.ID), codec: sframe.Codec(t.Codec)}
		if i := slices.IndexFunc(leaves, func(j []byte) bool { return string(j) == string(t.Join) }); i >= 0 && !p.liars[string(m.Device)] {
			a.leaf, a.since, a.known = uint32(i), m.Since, true
		}
		tracks[t.ID] = a
		sights = append(sights, Sight{Track: t.ID, Person: m.Person, Source: t.Source, Codec: t.Codec})
	}
	p.seal.announce(tracks)
	p.senses.expect(sights)
}

// want pulls every track of the others that this participant is set to receive.
func (p *Participant) want(ctx context.Context) {
	var ids []string
	for _, t := range p.log.State.Tracks() {
		if string(t.Join) != string(p.join) && (len(p.cfg.Sources) == 0 || slices.Contains(p.cfg.Sources, t.Source)) {
			ids = append(ids, t.ID)
		}
	}
	if _, joined := p.live(); !joined {
		ids = nil
	}
	slices.Sort(ids)
	if key := strings.Join(ids, " "); key != p.wanted {
		p.wanted = key
		w := &signalpb.Want{}
		for _, id := range ids {
			w.Tracks = append(w.Tracks, &signalpb.WantTrack{Track: id, MaxLayer: 255})
		}
		_ = p.desk.Send(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_Want{Want: w}})
	}
}

// publish announces the own tracks that the log does not have: once over each socket, for a node that was killed has forgotten what
// it had not ordered.
func (p *Participant) publish(ctx context.Context) {
	if p.log.State.Phase() != "agreed" || time.Now().Before(p.nextPublish) {
		return
	}
	known := p.log.State.Tracks()
	for _, o := range p.tracks {
		if p.published[o.id] || slices.ContainsFunc(known, func(t session.Track) bool { return t.ID == o.id }) {
			continue
		}
		p.offered[o.id], p.published[o.id] = true, true
		p.submit(ctx, act.KindPublish, act.Publish{Track: o.id, Source: o.source, Codec: string(o.codec)}, func(err error) {
			if err != nil {
				delete(p.published, o.id)
				p.nextPublish = time.Now().Add(500 * time.Millisecond)
			}
		})
	}
}
