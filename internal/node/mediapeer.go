package node

import (
	"context"
	"errors"

	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/wire/signalpb"
)

// UpOffer implements seat.MediaPeer. A name that a log the device is in gives to another is refused here; one that none knows yet is
// taken, and its packets are refused until it is announced.
func (p *person) UpOffer(ctx context.Context, d *signalpb.Description) (*signalpb.Description, error) {
	tracks := make([]rtc.TrackMid, 0, len(d.Tracks))
	p.m.mu.Lock()
	for _, t := range d.Tracks {
		if _, ok := p.m.look(t.Track, func(a announced, v view) bool { return v.hears[p.device] && a.device != p.device }); ok {
			p.m.mu.Unlock()
			return nil, problem.New(problem.NotYours, "what", "track")
		}
		tracks = append(tracks, rtc.TrackMid{Mid: t.Mid, Track: t.Track})
	}
	p.m.mu.Unlock()
	answer, err := p.rtc.HandleUpOffer(ctx, d.Sdp, tracks)
	if err != nil {
		p.m.log.Debug("an up offer could not be used", "error", err)
		return nil, mediaProblem(err)
	}
	return &signalpb.Description{Sdp: answer, Generation: d.Generation, Tracks: d.Tracks}, nil
}

// DownAnswer implements seat.MediaPeer.
func (p *person) DownAnswer(_ context.Context, d *signalpb.Description) error {
	if d.IceRestart && d.Sdp == "" {
		p.rtc.RestartDown()
		return nil
	}
	err := p.rtc.HandleDownAnswer(d.Sdp, d.Generation)
	if errors.Is(err, rtc.ErrStale) {
		return nil // a newer offer is on its way
	}
	if err != nil {
		p.m.log.Debug("a down answer could not be used", "error", err)
	}
	return mediaProblem(err)
}

// Want implements seat.MediaPeer.
func (p *person) Want(tracks []*signalpb.WantTrack) error {
	want := make([]string, 0, len(tracks))
	for _, t := range tracks {
		want = append(want, t.Track)
	}
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	p.want = want
	p.m.apply()
	return nil
}

// KeyFrame implements seat.MediaPeer.
func (p *person) KeyFrame(track string) error {
	p.rtc.RequestKeyFrame(track)
	return nil
}

// Close implements seat.MediaPeer.
func (p *person) Close() {
	p.m.mu.Lock()
	if p.m.people[p.device] == p {
		delete(p.m.people, p.device)
	}
	p.want, p.down = nil, nil
	p.m.apply()
	p.m.mu.Unlock()
	p.rtc.Close()
}
