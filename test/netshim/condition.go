package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Condition is what one direction of the path does to packets. The zero value does nothing to them.
type Condition struct {
	Loss   float64 `json:"loss"`   // percent of packets that are lost, 0 to 100
	Burst  float64 `json:"burst"`  // mean number of packets lost in a row; below 1: as chance has it
	Delay  float64 `json:"delay"`  // milliseconds
	Jitter float64 `json:"jitter"` // milliseconds either way, even; packets keep their order
	Rate   float64 `json:"rate"`   // kbit/s, 0 unlimited
	Queue  float64 `json:"queue"`  // milliseconds that may wait for the rate before the tail is dropped; 0: 300
}

const defaultQueue = 300

var errCondition = errors.New("condition out of range")

// Check refuses what makes no sense, before it silently measures nothing.
func (c Condition) Check() error {
	switch {
	case c.Loss < 0 || c.Loss > 100:
		return fmt.Errorf("%w: loss is %g, not a percentage", errCondition, c.Loss)
	case c.Burst < 0, c.Delay < 0, c.Jitter < 0, c.Rate < 0, c.Queue < 0:
		return fmt.Errorf("%w: a value is negative", errCondition)
	case c.Delay > 60_000 || c.Jitter > 60_000 || c.Queue > 60_000:
		return fmt.Errorf("%w: more than a minute", errCondition)
	}
	return nil
}

// Verdict is what became of a packet.
type Verdict int

// Verdicts.
const (
	Sent    Verdict = iota
	Lost            // by chance
	Dropped         // off the tail of the queue
)

// Path is one direction: pure, so that the same seed, sizes and times give the same fate. Not safe for concurrent use.
//
// Loss has two states (Gilbert 1960): in the bad one everything is lost. With mean burst B and loss share p, a packet leaves the bad
// state with 1/B and enters it with p/(B(1-p)), which keeps the share at p.
type Path struct {
	Condition Condition
	chance    *rand.Rand
	bad       bool
	busy      time.Time // until when the rate is spoken for
	last      time.Time // when the newest packet arrives: order is kept
}

// NewPath starts a path with a seed.
func NewPath(seed uint64) *Path {
	return &Path{chance: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))}
}

// Offer says when a packet of size bytes that enters now arrives, or that it does not.
func (p *Path) Offer(now time.Time, size int) (time.Time, Verdict) {
	c := p.Condition
	at := now
	if c.Rate > 0 {
		queue := c.Queue
		if queue == 0 {
			queue = defaultQueue
		}
		if p.busy.Before(now) {
			p.busy = now
		}
		if p.busy.Sub(now) > milliseconds(queue) {
			return time.Time{}, Dropped
		}
		p.busy = p.busy.Add(milliseconds(float64(size*8) / c.Rate))
		at = p.busy
	}
	if p.lose() {
		return time.Time{}, Lost
	}
	at = at.Add(milliseconds(c.Delay + (p.chance.Float64()*2-1)*c.Jitter))
	if at.Before(now) {
		at = now
	}
	if at.Before(p.last) {
		at = p.last
	}
	p.last = at
	return at, Sent
}

func (p *Path) lose() bool {
	share := p.Condition.Loss / 100
	switch {
	case share <= 0:
		p.bad = false
		return false
	case share >= 1:
		return true
	case p.Condition.Burst <= 1:
		return p.chance.Float64() < share
	}
	if p.bad {
		p.bad = p.chance.Float64() >= 1/p.Condition.Burst
	} else {
		p.bad = p.chance.Float64() < share/(p.Condition.Burst*(1-share))
	}
	return p.bad
}

func milliseconds(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }
