package main

import (
	"strings"
	"sync"
	"time"

	"parley.link/parley/internal/native"
	"parley.link/parley/internal/rtc"
)

// frames follows every frame of one publisher to one receiver. The nodes keep timestamps, so a timestamp names a frame.
type frames struct {
	mu   sync.Mutex
	sent map[bool][]sentFrame // by: is video
	came map[bool]map[uint32]time.Time
	shut map[bool]map[uint32]bool // came and did not open
}

type sentFrame struct {
	timestamp uint32
	at        time.Time
	sealed    bool
}

func newFrames() *frames {
	return &frames{sent: map[bool][]sentFrame{}, came: map[bool]map[uint32]time.Time{true: {}, false: {}}, shut: map[bool]map[uint32]bool{true: {}, false: {}}}
}

func (f *frames) publisher() native.Trace {
	return native.Trace{Sent: func(source string, timestamp uint32, sealed bool, at time.Time) {
		f.mu.Lock()
		defer f.mu.Unlock()
		v := source == "camera"
		f.sent[v] = append(f.sent[v], sentFrame{timestamp, at, sealed})
	}}
}

// receiver notes what comes; there must be one publisher only.
func (f *frames) receiver() native.Trace {
	return native.Trace{Came: func(x rtc.Frame, opened bool, at time.Time) {
		f.mu.Lock()
		defer f.mu.Unlock()
		v := strings.HasPrefix(strings.ToLower(x.MimeType), "video/")
		if !opened {
			f.shut[v][x.Timestamp] = true
		} else if _, twice := f.came[v][x.Timestamp]; !twice {
			f.came[v][x.Timestamp] = at
		}
	}}
}

// count is what became of the frames of one kind between the first and the last that was opened.
type count struct {
	Sent, Unsealed, Lost, Closed int
	Late                         samples
}

// count takes the frames sent in a span of time; at its ends something must have been opened.
func (f *frames) count(video bool, from, to time.Time) (c count) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var span []sentFrame
	for _, s := range f.sent[video] {
		if !s.at.Before(from) && s.at.Before(to) {
			span = append(span, s)
		}
	}
	c.Sent = len(span)
	for _, s := range span {
		at, ok := f.came[video][s.timestamp]
		switch {
		case !s.sealed:
			c.Unsealed++
		case !ok:
			if c.Lost++; f.shut[video][s.timestamp] {
				c.Closed++
			}
		default:
			c.Late.add(at.Sub(s.at))
		}
	}
	return c
}
