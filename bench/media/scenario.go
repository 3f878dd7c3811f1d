//go:build linux

package main

import (
	"fmt"

	"parley.link/parley/bench/media/sfu"
)

// scenario is who is in which room. Publishers of a fan-out only publish, its listeners only listen; in a meeting everybody does both.
type scenario struct {
	name, title string
	rooms       int
	publish     int // per room; in a meeting the same as the people
	listen      int // per room; 0: a meeting
	video       bool
}

var scenarios = []scenario{
	{"1-1", "1 → 1", 1, 1, 1, true},
	{"1-10", "1 → 10", 1, 1, 10, true},
	{"1-50", "1 → 50", 1, 1, 50, true},
	{"1-100", "1 → 100", 1, 1, 100, true},
	{"1-200", "1 → 200", 1, 1, 200, true},
	{"1-500", "1 → 500", 1, 1, 500, true},
	{"m4", "meeting of 4", 1, 4, 0, true},
	{"m8", "meeting of 8", 1, 8, 0, true},
	{"m16", "meeting of 16", 1, 16, 0, true},
	{"20x2", "20 rooms of 2", 20, 2, 0, true},
	{"a200", "audio 1 → 200", 1, 1, 200, false},
}

func names() (all []string) {
	for _, s := range scenarios {
		all = append(all, s.name)
	}
	return all
}

// seats gives first those who publish, then those who only listen; of each, one of every room after the other.
func (s scenario) seats() (publishers, listeners []sfu.Seat) {
	for p := range s.publish {
		for r := range s.rooms {
			publishers = append(publishers, sfu.Seat{
				Room: fmt.Sprintf("room%d", r), Name: fmt.Sprintf("r%dp%d", r, p), Audio: true, Video: s.video, Listen: s.listen == 0,
			})
		}
	}
	for l := range s.listen {
		for r := range s.rooms {
			listeners = append(listeners, sfu.Seat{Room: fmt.Sprintf("room%d", r), Name: fmt.Sprintf("r%dl%d", r, l), Listen: true})
		}
	}
	return publishers, listeners
}

// streams is how many streams a person of the scenario receives, and receivers how many people a source's packets go to.
func (s scenario) streams(listens bool) int {
	if !listens {
		return 0
	}
	n := s.publish
	if s.listen == 0 {
		n--
	}
	if s.video {
		n *= 2
	}
	return n
}

func (s scenario) receivers() int {
	if s.listen == 0 {
		return s.publish - 1
	}
	return s.listen
}
