package session

import (
	"bytes"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/problem"
)

// Tracks are their owner's alone. No act of anybody else, officer or node, touches them, except by ending the owner's
// presence within the owner's own side.

func (s *step) publish(a decoded) error {
	b, err := body[act.Publish](a)
	if err != nil {
		return err
	}
	if err := s.running(); err != nil {
		return err
	}
	j, err := s.author(a)
	if err != nil {
		return err
	}
	if !isTrackID(b.Track) || !isSource(b.Source, b.Codec) {
		return problem.New(problem.Malformed, "what", "track")
	}
	if t := s.m.track(b.Track); t != nil {
		if !bytes.Equal(t.Join, j.Join) {
			return problem.New(problem.NotYours)
		}
		return problem.New(problem.AlreadyDone)
	}
	mine, ever, soon, ours := 0, 0, 0, 0
	for _, t := range s.m.Tracks {
		owner := s.m.member(t.Join)
		if !bytes.Equal(owner.Side, a.Side) {
			continue
		}
		ours++
		if owner.Person != j.Person {
			continue
		}
		ever++
		if s.at-t.At < TracksSoon {
			soon++
		}
		if !t.Gone && bytes.Equal(t.Join, j.Join) {
			if t.Source == b.Source {
				return problem.New(problem.AlreadyDone, "what", "source")
			}
			mine++
		}
	}
	// Of one person, whatever the device and however often it joins: a stolen one must not use up the tracks of the others.
	if mine >= MaxTracksEach || soon >= MaxTracksSoon || ever >= MaxTracksEver || ours >= MaxTracks {
		return problem.New(problem.TooMany, "what", "tracks")
	}
	s.m.Tracks = append(s.m.Tracks, Track{ID: b.Track, Join: j.Join, Source: b.Source, Codec: b.Codec, Muted: b.Muted, At: s.at})
	s.effect(Effect{Kind: EffectPublished, Act: a.id, Side: a.Side, Join: j.Join, Track: b.Track})
	return nil
}

func (s *step) withdraw(a decoded) error {
	b, err := body[act.Withdraw](a)
	if err != nil {
		return err
	}
	if err := s.inForce(); err != nil {
		return err
	}
	t, err := s.ownTrack(a, b.Track)
	if err != nil {
		return err
	}
	t.Gone = true
	s.effect(Effect{Kind: EffectWithdrawn, Act: a.id, Side: a.Side, Join: t.Join, Track: t.ID})
	return nil
}

func (s *step) mute(a decoded) error {
	b, err := body[act.Mute](a)
	if err != nil {
		return err
	}
	if err := s.inForce(); err != nil {
		return err
	}
	return s.setMuted(a, b.Track, true, EffectMuted)
}

func (s *step) unmute(a decoded) error {
	b, err := body[act.Unmute](a)
	if err != nil {
		return err
	}
	if err := s.running(); err != nil {
		return err
	}
	return s.setMuted(a, b.Track, false, EffectUnmuted)
}

func (s *step) setMuted(a decoded, track string, muted bool, effect string) error {
	t, err := s.ownTrack(a, track)
	if err != nil {
		return err
	}
	if t.Muted == muted {
		return problem.New(problem.AlreadyDone)
	}
	t.Muted = muted
	s.effect(Effect{Kind: effect, Act: a.id, Side: a.Side, Join: t.Join, Track: t.ID})
	return nil
}

// ownTrack finds a present track of the author's. Whose a track is never changes, so "not yours" is an answer that no race
// can make wrong; it is therefore asked before whether the track is still there.
func (s *step) ownTrack(a decoded, id string) (*Track, error) {
	if !isTrackID(id) {
		return nil, problem.New(problem.Malformed, "what", "track")
	}
	t := s.m.track(id)
	if t == nil {
		return nil, problem.New(problem.NoSuchTrack)
	}
	owner := s.m.member(t.Join)
	if !bytes.Equal(owner.Device, a.Key) || !bytes.Equal(owner.Side, a.Side) {
		return nil, problem.New(problem.NotYours)
	}
	if t.Gone {
		return nil, problem.New(problem.NoSuchTrack)
	}
	return t, nil
}

// isTrackID: 22 characters of base64url.
func isTrackID(id string) bool {
	if len(id) != 22 {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

func isSource(source, codec string) bool {
	switch source {
	case act.SourceMicrophone, act.SourceScreenAudio:
		return codec == "opus"
	case act.SourceCamera, act.SourceScreen:
		return codec == "vp9" || codec == "vp8" || codec == "av1"
	}
	return false
}
