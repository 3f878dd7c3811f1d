package forward

import "time"

// Clock binds a source's RTP timestamps to the wall clock of whoever sends it, as its last sender report did (RFC 3550 §6.4.1). Sound and
// picture of one person come with the same wall clock, so a receiver that gets both pairs as they are can bring them together. No node
// on the way puts its own clock in: then the pairs would differ by how long each of the two reports was on the way.
type Clock struct {
	NTP       uint64    // RFC 5905 §6: seconds since 1900, and their fraction
	Timestamp uint32    // of the same moment
	At        time.Time // when it came here
}

// On moves both ends of a pair on to now, so that a report that is passed on late is not an old one. rate is the source's, in Hz.
func (c Clock) On(now time.Time, rate uint32) Clock {
	d := now.Sub(c.At)
	if d <= 0 || c.At.IsZero() {
		return c
	}
	seconds, rest := uint64(d/time.Second), uint64(d%time.Second)
	c.NTP += seconds<<32 + rest<<32/uint64(time.Second)
	c.Timestamp += uint32(seconds*uint64(rate) + rest*uint64(rate)/uint64(time.Second))
	c.At = now
	return c
}

// SetClock takes the source's newest report.
func (u *UpTrack) SetClock(c Clock) { u.clock.Store(&c) }

// Clock is the source's newest report; ok is false before the first.
func (u *UpTrack) Clock() (c Clock, ok bool) {
	if p := u.clock.Load(); p != nil {
		return *p, true
	}
	return Clock{}, false
}

// SetStream names what the track belongs to: tracks of one name are brought together by whoever shows them (msid, RFC 8830 §2).
func (u *UpTrack) SetStream(name string) { u.stream.Store(&name) }

// Stream is that name; the track's own until one was set.
func (u *UpTrack) Stream() string {
	if p := u.stream.Load(); p != nil {
		return *p
	}
	return u.id
}
