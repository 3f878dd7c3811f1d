//go:build linux

package light

import (
	"slices"
	"time"
)

// What is published. One frame is a run of equal packets, as a browser's pacer sends it; 28.4 of them a second make 1.5 Mbit/s.
const (
	VideoPayload  = 1100 // bytes of an RTP payload, VP8's descriptor included; 1,128 with header and tag of AES-GCM
	AudioPayload  = 100  // bytes: 40 kbit/s
	PerFrame      = 6    // packets
	VideoBitrate  = 1.5e6
	FramesASecond = VideoBitrate / (8 * VideoPayload * PerFrame)
	audioEvery    = 20 * time.Millisecond
	keyEvery      = 10 * time.Second // besides on request
	stampSize     = 16
	stampMagic    = 0x5061726c65792e31
)

// sending is one outgoing RTP stream.
type sending struct {
	kind      Kind
	ssrc      uint32
	pt        uint8
	feedback  uint8 // id of the transport-wide sequence number; 0: not negotiated
	seq       uint16
	timestamp uint32
	packets   uint32
	octets    uint32
	last      time.Time
}

// Source publishes audio and video at fixed rates. Exported fields belong to the loop's thread.
type Source struct {
	end          *End
	audio, video *sending
	nextAudio    time.Time
	nextVideo    time.Time
	interval     time.Duration // between frames
	nextKey      time.Time
	keyWanted    bool
	picture      uint16
	transport    uint16
	packet       [PerFrame][]byte

	Packets     uint64 // given to the kernel
	Refused     uint64 // not taken by it
	KeyRequests uint64
	Nacked      uint64
	Behind      time.Duration // the longest a frame was late
}

// Publish starts to send on an end that stands. phase (0 to 1) sets it apart from other sources.
func (l *Loop) Publish(e *End, phase float64) *Source {
	s := &Source{end: e, interval: time.Duration(float64(time.Second) / FramesASecond)}
	e.mu.Lock()
	for _, t := range e.sends {
		if t.kind == Audio {
			s.audio = t
		} else {
			s.video = t
		}
	}
	e.src = s
	e.mu.Unlock()
	now := time.Now()
	s.nextVideo = now.Add(time.Duration(phase * float64(s.interval)))
	s.nextAudio = now.Add(time.Duration(phase * float64(audioEvery)))
	for i := range s.packet {
		s.packet[i] = make([]byte, 0, datagramRoom)
	}
	l.mu.Lock()
	l.sources = append(slices.Clone(l.sources), s)
	l.mu.Unlock()
	return s
}

// SetBitrate changes how often frames are sent, not how large they are: a run stays a run. Call it in Do.
func (s *Source) SetBitrate(bits float64) {
	s.interval = time.Duration(8 * VideoPayload * PerFrame / bits * float64(time.Second))
}

// emit sends what is due, and says when to come again.
func (s *Source) emit(now time.Time) time.Time {
	e := s.end
	e.mu.Lock()
	defer e.mu.Unlock()
	next := now.Add(sweepEvery)
	if e.sealing == nil {
		return next
	}
	if s.video != nil {
		for range 8 { // catch up, but let others have their turn
			if now.Before(s.nextVideo) {
				break
			}
			s.Behind = max(s.Behind, now.Sub(s.nextVideo))
			s.frame(now)
			s.nextVideo = s.nextVideo.Add(s.interval)
		}
		next = s.nextVideo
	}
	if s.audio != nil {
		if !now.Before(s.nextAudio) {
			s.sound(now)
			s.nextAudio = s.nextAudio.Add(audioEvery)
		}
		if s.nextAudio.Before(next) {
			next = s.nextAudio
		}
	}
	return next
}
