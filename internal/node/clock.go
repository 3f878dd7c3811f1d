package node

import (
	"sync"
	"time"
)

// clock is the time that logs are kept by and heartbeats tell: the wall clock when it was set, and what passed since by a clock that
// nobody can set. A step of the wall clock is neither silence on the link nor a second in which nothing is overdue.
//
// But it must not hide a wall clock that is wrong, nor keep a wrong start for ever: a machine without a battery starts in 1970 and is put
// right seconds later. So when the two have been apart for some seconds, the clock is set to the wall clock, and every ledger is told by
// how much before it is given the new time (scope.time). Heartbeats then carry the machine's time again. If the step was a correction,
// the peers' alarm ends without a restart; if it was a mistake, the first heartbeat that disagrees stops a sequencer and the fourth names it.
type clock struct {
	read func() (wall int64, passed time.Duration)

	mu    sync.Mutex
	start int64 // ms: now is start + passed
	set   int64 // ms: the sum of all steps taken
	apart int   // checks in a row that found the wall clock elsewhere
}

// Apart by half a second is a quarter of what peers tolerate; slewing never gets there, because the monotonic clock is slewed along.
const (
	clockApart  = 500 // ms
	clockChecks = 3   // one a second
)

func newClock() *clock {
	began := time.Now()
	return clockFrom(func() (int64, time.Duration) { return millis(time.Now()), time.Since(began) })
}

func clockFrom(read func() (int64, time.Duration)) *clock {
	wall, passed := read()
	return &clock{read: read, start: wall - passed.Milliseconds()}
}

// now is ms since the epoch.
func (c *clock) now() int64 {
	now, _ := c.reading()
	return now
}

// reading is the time, and by how much the clock was set altogether since it was made.
func (c *clock) reading() (now, set int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, passed := c.read()
	return c.start + passed.Milliseconds(), c.set
}

// check is called once a second. It returns by how much the clock was set, 0 if it was not.
func (c *clock) check() (by int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, passed := c.read()
	by = wall - c.start - passed.Milliseconds()
	if by < clockApart && by > -clockApart {
		c.apart = 0
		return 0
	}
	if c.apart++; c.apart < clockChecks {
		return 0
	}
	c.apart = 0
	c.start += by
	c.set += by
	return by
}
