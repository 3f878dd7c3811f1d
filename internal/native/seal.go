package native

import (
	"sync"
	"time"

	"parley.link/parley/internal/sframe"
)

// seal is the ring of the present group behind a lock: frames come and go on goroutines of the media driver.
type seal struct {
	mu      sync.Mutex
	ring    *sframe.Ring
	tracks  map[string]announced
	tally   map[sframe.Verdict]uint64
	refused uint64 // own frames that were not sent for want of a key
}

// announced is what the signed log says of a track: only this leaf's key opens it.
type announced struct {
	leaf    uint32
	context uint16
	codec   sframe.Codec
	known   bool // the leaf is in the group
}

func newSeal() *seal {
	return &seal{ring: sframe.NewRing(), tracks: map[string]announced{}, tally: map[sframe.Verdict]uint64{}}
}

// group starts anew with another group.
func (s *seal) group() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring = sframe.NewRing()
}

func (s *seal) install(epoch uint64, leaf uint32, base sframe.BaseKey, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring.Install(epoch, leaf, base, now)
}

func (s *seal) sendNewest() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ring.SendNewest()
}

func (s *seal) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring.Stop()
}

// announce replaces what the log says of tracks.
func (s *seal) announce(tracks map[string]announced) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracks = tracks
}

// close seals one frame of an own track; nil if nothing may be sent now.
func (s *seal) close(track string, codec sframe.Codec, frame []byte) []byte {
	if len(frame) == 0 {
		return nil
	}
	clearPart, secret, err := sframe.Split(codec, frame)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sealed, err := s.ring.Seal(nil, sframe.TrackContext(track), clearPart, secret)
	if err != nil {
		s.refused++
		return nil
	}
	return sframe.Wrap(codec, true, clearPart, sealed)
}

// open opens one frame of another's track.
func (s *seal) open(track string, frame []byte, now time.Time) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.tracks[track]
	if !ok || !a.known {
		s.tally[sframe.NoKey]++
		return nil, false
	}
	clearPart, sealed, err := sframe.Unwrap(a.codec, frame)
	if err != nil {
		s.tally[sframe.Malformed]++
		return nil, false
	}
	out, v := s.ring.Open(append([]byte(nil), clearPart...), a.leaf, a.context, clearPart, sealed, now)
	s.tally[v]++
	return out, v == sframe.Opened
}

// verdicts counts what became of received frames, by name.
func (s *seal) verdicts() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]uint64{}
	for v, n := range s.tally {
		out[v.String()] = n
	}
	return out
}
