package native

import (
	"sync"
	"time"

	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/sframe"
)

// seal is the ring of the present group behind a lock: frames come and go on goroutines of the media driver.
type seal struct {
	mu      sync.Mutex
	ring    *sframe.Ring
	tracks  map[string]announced
	tally   map[sframe.Verdict]uint64
	refused uint64 // own frames that were not sent for want of a key
	newest  uint64
	keyed   bool
	held    []heldFrame
}

// heldFrame came under an epoch whose key is on its way: senders change keys after 300 ms or 1 s whether or not everybody is ready.
type heldFrame struct {
	frame rtc.Frame
	since time.Time
}

// Bounds of what is held; the same as web/src/seal/hold.ts and keyring.ts.
const (
	holdFor   = 1500 * time.Millisecond
	maxHeld   = 1024
	mostAhead = 8
)

// announced is what the signed log says of a track: only this leaf's key opens it.
type announced struct {
	leaf    uint32
	since   uint64 // epoch in which the leaf became its member's
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
	s.ring, s.keyed = sframe.NewRing(), false
}

// install takes an epoch's key and gives back the frames that may have waited for it, oldest first.
func (s *seal) install(epoch uint64, leaf uint32, base sframe.BaseKey, now time.Time) (held []rtc.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring.Install(epoch, leaf, base, now)
	s.newest, s.keyed = epoch, true
	for _, h := range s.held {
		if now.Sub(h.since) <= holdFor {
			held = append(held, h.frame)
		}
	}
	s.held = nil
	return held
}

// hold keeps a frame whose epoch is ahead of the newest key; false if it is not worth it.
func (s *seal) hold(f rtc.Frame, sealed []byte, now time.Time) bool {
	h, err := sframe.ParseHeader(sealed)
	if err != nil {
		return false
	}
	kid, ok := sframe.ParseKID(h.KID)
	if ahead := kid.Residue - uint8(s.newest); !ok || s.keyed && (ahead == 0 || ahead > mostAhead) {
		return false
	}
	for len(s.held) > 0 && (len(s.held) >= maxHeld || now.Sub(s.held[0].since) > holdFor) {
		s.held = s.held[1:]
	}
	s.held = append(s.held, heldFrame{f, now})
	return true
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

// open opens one frame of another's track. held: it waits for its key and comes back from install.
func (s *seal) open(f rtc.Frame, now time.Time) (plain []byte, opened, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.tracks[f.Track]
	if !ok || !a.known {
		s.tally[sframe.NoKey]++
		return nil, false, false
	}
	clearPart, sealed, err := sframe.Unwrap(a.codec, f.Payload)
	if err != nil {
		s.tally[sframe.Malformed]++
		return nil, false, false
	}
	out, v := s.ring.Open(append([]byte(nil), clearPart...), a.leaf, a.since, a.context, clearPart, sealed, now)
	if v == sframe.NoKey && s.hold(f, sealed, now) {
		return nil, false, true
	}
	s.tally[v]++
	return out, v == sframe.Opened, false
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
