package seat

import (
	"context"

	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// Media makes the two peer connections of a device.
type Media interface {
	// Open is called before the first description of a socket, and again after the device left a session. The peer pushes down offers and
	// media states.
	Open(d Device, push func(*signalpb.ToClient)) (MediaPeer, error)
}

// MediaPeer is a device's media on this node. After Close nothing flows.
type MediaPeer interface {
	UpOffer(ctx context.Context, d *signalpb.Description) (*signalpb.Description, error)
	DownAnswer(ctx context.Context, d *signalpb.Description) error
	Want(tracks []*signalpb.WantTrack) error
	KeyFrame(track string) error
	Close()
}

// Bounds of what a client may say about media.
const (
	maxSDP    = 256 << 10
	maxTracks = 256
	maxTrack  = 22 // act.Publish.Track
	maxMid    = 16
)

// peer is the device's media. Who left and comes in again over the same socket brings new peer connections: the old ones here were made for
// certificates and candidates that are gone, and an answer to their next offer would fit nothing.
func (s *Seat) peer() (MediaPeer, error) {
	if !s.Device().Accredited() {
		return nil, problem.New(problem.NotAccredited)
	}
	if s.left.Swap(false) && s.media != nil {
		s.media.Close()
		s.media = nil
	}
	if s.media == nil {
		m, err := s.cfg.Media.Open(s.Device(), s.Push)
		if err != nil {
			return nil, err
		}
		s.media = m
	}
	return s.media, nil
}

func (s *Seat) checkDescription(d *signalpb.Description) error {
	if !s.offers.AllowN(s.cfg.Now(), 1) {
		return problem.New(problem.TooMany, "what", "descriptions")
	}
	if len(d.Sdp) > maxSDP || len(d.Tracks) > maxTracks {
		return problem.New(problem.TooLarge, "what", "description")
	}
	for _, t := range d.Tracks {
		if len(t.Track) != maxTrack || len(t.Mid) == 0 || len(t.Mid) > maxMid {
			return problem.New(problem.Malformed, "what", "track")
		}
	}
	return nil
}

func (s *Seat) onUpOffer(ctx context.Context, d *signalpb.Description, reply func(*signalpb.ToClient)) error {
	if err := s.checkDescription(d); err != nil {
		return err
	}
	p, err := s.peer()
	if err != nil {
		return err
	}
	answer, err := p.UpOffer(ctx, d)
	if err != nil {
		return err
	}
	// An offer without an id still needs its answer.
	r := &signalpb.ToClient{Body: &signalpb.ToClient_UpAnswer{UpAnswer: answer}}
	reply(r)
	if r.ReplyTo == 0 {
		s.Push(r)
	}
	return nil
}

func (s *Seat) onDownAnswer(ctx context.Context, d *signalpb.Description) error {
	if err := s.checkDescription(d); err != nil {
		return err
	}
	p, err := s.peer()
	if err != nil {
		return err
	}
	return p.DownAnswer(ctx, d)
}

func (s *Seat) onWant(w *signalpb.Want) error {
	if !s.wishes.AllowN(s.cfg.Now(), 1) {
		return problem.New(problem.TooMany, "what", "wishes")
	}
	if len(w.Tracks) > maxTracks {
		return problem.New(problem.TooMany, "what", "tracks")
	}
	for _, t := range w.Tracks {
		if len(t.Track) != maxTrack {
			return problem.New(problem.Malformed, "what", "track")
		}
	}
	p, err := s.peer()
	if err != nil {
		return err
	}
	return p.Want(w.Tracks)
}

func (s *Seat) onKeyFrame(k *signalpb.KeyFrame) error {
	if !s.wishes.AllowN(s.cfg.Now(), 1) {
		return problem.New(problem.TooMany, "what", "wishes")
	}
	if len(k.Track) != maxTrack {
		return problem.New(problem.Malformed, "what", "track")
	}
	p, err := s.peer()
	if err != nil {
		return err
	}
	return p.KeyFrame(k.Track)
}
