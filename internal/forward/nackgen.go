package forward

import (
	"slices"
	"time"
)

// Our choices for asking again.
const (
	maxMissing      = 512                    // numbers asked for at once; a longer hole wants a key frame, not packets
	nackSkipLast    = 2                      // newer packets that must have come before a hole is believed
	nackPatience    = 15 * time.Millisecond  // or this long, whichever is first
	nackMinInterval = 20 * time.Millisecond  // between two requests for one packet
	nackMaxInterval = 250 * time.Millisecond // the same, for long round trips
	nackMaxTries    = 8
	nackMaxAge      = time.Second // what is later than this is of no use to a decoder
)

// NackGenerator decides which packets of a source to ask for again (RFC 4585 §6.2.1). It waits for a little reordering to settle,
// waits a round trip between two requests for the same packet, gives up after some tries, and counts a packet that came as a
// retransmission as received. Not safe for concurrent use; the zero value is ready.
type NackGenerator struct {
	seq     Unwrapper
	missing []missing // ascending
	lost    uint64
	rtt     time.Duration // from answers to requests, smoothed; 0: none yet
}

type missing struct {
	counter uint64
	since   time.Time
	asked   time.Time
	tries   int
}

// Received notes that seq came, by itself or as a retransmission.
func (g *NackGenerator) Received(now time.Time, seq uint16) {
	before := g.seq.High()
	counter, restarted, ok := g.seq.Unwrap(seq)
	switch {
	case !ok:
		return
	case restarted:
		g.missing = g.missing[:0]
		return
	case before == 0:
		return
	}
	if counter <= before {
		i, found := slices.BinarySearchFunc(g.missing, counter, func(m missing, c uint64) int {
			if m.counter < c {
				return -1
			}
			if m.counter > c {
				return 1
			}
			return 0
		})
		if found {
			g.measure(now, g.missing[i])
			g.missing = slices.Delete(g.missing, i, i+1)
		}
		return
	}
	hole := counter - before - 1
	if hole > maxMissing {
		// Asking for hundreds of packets is how a bottleneck gets worse. Forget them: the decoder asks for a key frame.
		g.lost += uint64(len(g.missing)) + hole
		g.missing = g.missing[:0]
		return
	}
	if over := len(g.missing) + int(hole) - maxMissing; over > 0 {
		g.lost += uint64(over)
		g.missing = slices.Delete(g.missing, 0, over)
	}
	for c := before + 1; c < counter; c++ {
		g.missing = append(g.missing, missing{counter: c, since: now})
	}
}

// measure learns the round-trip time from a packet that was asked for once: of others it is not known which request was answered (Karn's
// rule, RFC 6298 §3).
func (g *NackGenerator) measure(now time.Time, m missing) {
	if m.tries != 1 {
		return
	}
	sample := now.Sub(m.asked)
	if g.rtt == 0 {
		g.rtt = sample
		return
	}
	g.rtt += (sample - g.rtt) / 8
}

// Due appends to dst the sequence numbers to ask for now, ascending, given the round-trip time to the source (0: unknown, then
// what was learnt from answers counts).
// The caller asks at once; each number comes back no sooner than a round trip later.
func (g *NackGenerator) Due(now time.Time, rtt time.Duration, dst []uint16) []uint16 {
	if rtt == 0 {
		rtt = g.rtt
	}
	interval := min(max(rtt+rtt/4, nackMinInterval), nackMaxInterval)
	high := g.seq.High()
	kept := g.missing[:0]
	for _, m := range g.missing {
		if m.tries >= nackMaxTries && now.Sub(m.asked) >= interval || now.Sub(m.since) > nackMaxAge {
			g.lost++
			continue
		}
		settled := high-m.counter > nackSkipLast || now.Sub(m.since) >= nackPatience
		if settled && m.tries < nackMaxTries && (m.tries == 0 || now.Sub(m.asked) >= interval) {
			m.asked = now
			m.tries++
			dst = append(dst, g.seq.Wire(m.counter))
		}
		kept = append(kept, m)
	}
	g.missing = kept
	return dst
}

// Missing is how many packets are still hoped for.
func (g *NackGenerator) Missing() int { return len(g.missing) }

// Lost is how many packets were given up.
func (g *NackGenerator) Lost() uint64 { return g.lost }
