package link

import "time"

// redial says how long to wait before the next dial: doubling from redialFirst, never above redialMax, or redialMaxBusy while a session
// runs, and spread by a quarter either way so that nodes that failed together do not return together. Pure: chance comes in.
type redial struct{ tries int }

// next takes chance in [0, 1).
func (r *redial) next(busy bool, chance float64) time.Duration {
	top := redialMax
	if busy {
		top = redialMaxBusy
	}
	d := redialFirst << min(r.tries, 16)
	r.tries++
	d = min(d, top)
	spread := time.Duration((chance - 0.5) * 0.5 * float64(d))
	return min(d+spread, top)
}

func (r *redial) reset() { r.tries = 0 }
