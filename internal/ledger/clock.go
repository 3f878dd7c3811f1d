package ledger

// ClockSet tells the ledger that the clock it is given was set by so many ms, before it is given the new time: everything that it waits
// for has waited no longer, and no less, than before. What is in the log keeps its time; the next entry is not dated before the last.
// Whether the new time is right is for the peers' heartbeats to say.
func (l *Ledger) ClockSet(by int64) {
	shift := func(times ...*int64) {
		for _, t := range times {
			if *t != 0 { // 0 is never
				*t += by
			}
		}
	}
	for _, p := range l.peers {
		shift(&p.heard, &p.headAt, &p.behindSince, &p.gapSince, &p.fetchedAt, &p.answeredAt, &p.pushedAt)
	}
	for _, q := range l.pending {
		shift(&q.since, &q.sentAt)
	}
	for _, c := range l.chains {
		shift(&c.since)
	}
	shift(&l.boot, &l.ticked)
}
