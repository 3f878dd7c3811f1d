package native

import (
	"bytes"
	"image/color"
	"sync"
	"time"

	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/sframe"
	"parley.link/parley/internal/synth"
)

// Sight is what a participant makes of one track of somebody else.
type Sight struct {
	Track     string
	Person    string // of the roster
	Source    string
	Codec     string
	Opened    uint64        // frames opened
	Closed    uint64        // frames that came and did not open
	First     time.Time     // first frame opened
	Last      time.Time     // newest frame opened
	Read      bool          // the picture was decoded, and is one of package synth
	Number    int           // of the synthetic camera
	Counter   int           // of its newest frame
	Colour    color.RGBA    // of the newest picture decoded
	Late      time.Duration // age of the newest synthetic picture when it was whole
	KeyFrames uint64        // VP8 key frames among the opened
	ear       *synth.Ear
	decodedAt time.Time
}

// senses looks at and listens to every opened frame. Safe for concurrent use.
type senses struct {
	mu     sync.Mutex
	sights map[string]*Sight
	fps    int
	canary []byte
	found  uint64 // opened pictures that end with the canary
}

func newSenses(fps int, canary []byte) *senses {
	return &senses{sights: map[string]*Sight{}, fps: fps, canary: canary}
}

func (s *senses) canaries() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found
}

// expect tells what the log says of tracks; tracks it does not name are forgotten.
func (s *senses) expect(tracks []Sight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.sights
	s.sights = make(map[string]*Sight, len(tracks))
	for _, t := range tracks {
		if x := old[t.Track]; x != nil {
			s.sights[t.Track] = x
			continue
		}
		s.sights[t.Track] = &t
	}
}

// decodeEvery bounds the work: pictures are decoded at most this often per track, sound always.
const decodeEvery = 400 * time.Millisecond

func (s *senses) frame(f rtc.Frame, plain []byte, opened bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.sights[f.Track]
	if t == nil {
		return
	}
	if !opened {
		t.Closed++
		return
	}
	if t.Opened++; t.Opened == 1 {
		t.First = f.Whole
	}
	t.Last = f.Whole
	switch sframe.Codec(t.Codec) {
	case sframe.Opus:
		if t.ear == nil {
			t.ear, _ = synth.NewEar()
		}
		if t.ear != nil {
			_ = t.ear.Hear(plain)
		}
	case sframe.VP8:
		if len(s.canary) > 0 && bytes.HasSuffix(plain, s.canary) {
			s.found++
		}
		if len(plain) == 0 || plain[0]&1 != 0 {
			return
		}
		t.KeyFrames++
		if f.Whole.Sub(t.decodedAt) < decodeEvery {
			return
		}
		t.decodedAt = f.Whole
		r, err := synth.ReadPicture(plain)
		t.Colour = r.Colour
		if t.Read = err == nil; t.Read {
			t.Number, t.Counter = r.Person, r.Counter
			t.Late = synth.NewVideo(r.Person, "", s.fps).Age(r.Counter, f.Whole)
		}
	}
}

// Hears says whether the last second of a track's sound holds a tone (Hz).
func (s *senses) hears(track string, hz int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.sights[track]
	return t != nil && t.ear != nil && t.ear.Hears(hz)
}

func (s *senses) list() []Sight {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Sight, 0, len(s.sights))
	for _, t := range s.sights {
		c := *t
		c.ear = nil
		out = append(out, c)
	}
	return out
}
