// Package allocate divides what a receiver's path bears among the tracks it wants: sound always, then the smallest picture of everybody,
// then the speaker and what is shown, then the rest. docs/allocation.md tells the rules and why they are so.
//
// One Allocator belongs to one receiver: a person's device, or another side's node. It is pure: now comes in, choices go out.
package allocate

import (
	"slices"
	"time"
)

// Our choices about when a picture may grow.
const (
	// upMargin is what must be free beyond what a step up costs, as a share of it: sources vary, and a step that is taken back is worse
	// than one that comes later.
	upMargin = 0.15

	// firstHold is how long a picture that was made smaller stays so. If it falls again soon after it grew, the hold doubles.
	firstHold = time.Second
	maxHold   = 16 * time.Second
	soon      = 10 * time.Second
)

// Class is who comes first.
type Class uint8

const (
	Sound  Class = iota // never touched
	Stage               // the speaker, an interpreter, what is shown to all
	Screen              // a shared screen beside the stage
	Rest
)

// Paused is the choice of nothing: the receiver shows the last picture.
const Paused = -1

// Track is one track that the receiver wants. Costs are in bits a second, of each way of sending it, smallest first, each with all
// it builds on; a Sound track has one. What the receiver does not want (a picture larger than its place) is not among them.
type Track struct {
	ID    string
	Class Class
	Costs []int
}

// Choice is an index of Track.Costs, or Paused.
type Choice struct {
	ID    string
	Index int
}

// Allocator remembers what was chosen, so that pictures do not jump. Not safe for concurrent use; the zero value is ready.
type Allocator struct {
	tracks map[string]*memory
}

type memory struct {
	index int
	grew  time.Time // last step up
	until time.Time // no step up before
	hold  time.Duration
	seen  bool
}

type wish struct {
	Track
	*memory
	index int
}

// Allocate divides estimate (bits a second) among tracks; of one class, who comes first in the list comes first. The choices are in
// the order of tracks. Sound is always chosen, even where the estimate is less than it costs.
func (a *Allocator) Allocate(now time.Time, estimate int, tracks []Track) []Choice {
	if a.tracks == nil {
		a.tracks = map[string]*memory{}
	}
	wishes := make([]wish, len(tracks))
	left := estimate
	for i, t := range tracks {
		m := a.tracks[t.ID]
		if m == nil {
			m = &memory{index: Paused}
			a.tracks[t.ID] = m
		}
		m.seen = true
		wishes[i] = wish{Track: t, memory: m, index: Paused}
		if t.Class == Sound {
			wishes[i].index = 0
			left -= cost(t, 0)
		}
	}
	order := make([]*wish, 0, len(wishes))
	for i := range wishes {
		if wishes[i].Class != Sound {
			order = append(order, &wishes[i])
		}
	}
	slices.SortStableFunc(order, func(x, y *wish) int { return int(x.Class) - int(y.Class) })

	for _, w := range order {
		w.step(now, &left) // the smallest picture of everybody, before anybody's second
	}
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && order[to].Class == order[from].Class {
			to++
		}
		for more := true; more; { // one step each, round and round, so that equals stay equal
			more = false
			for _, w := range order[from:to] {
				if w.index >= 0 && w.step(now, &left) {
					more = true
				}
			}
		}
		from = to
	}
	return a.settle(now, wishes)
}

// step takes the next better way of sending if it fits: what was sent already at its cost, what is new with a margin and after the hold.
func (w *wish) step(now time.Time, left *int) bool {
	next := w.index + 1
	if next >= len(w.Costs) {
		return false
	}
	more := cost(w.Track, next) - cost(w.Track, w.index)
	need := more
	if next > w.memory.index {
		if now.Before(w.until) {
			return false
		}
		need += int(float64(more) * upMargin)
	}
	if need > *left {
		return false
	}
	w.index = next
	*left -= more
	return true
}

// settle keeps what was chosen, and how long each picture that fell stays so.
func (a *Allocator) settle(now time.Time, wishes []wish) []Choice {
	choices := make([]Choice, len(wishes))
	for i, w := range wishes {
		m := w.memory
		switch {
		case w.Class == Sound:
		case w.index > m.index:
			m.grew = now
		case w.index < m.index:
			if !m.grew.IsZero() && now.Sub(m.grew) < soon {
				m.hold = min(max(2*m.hold, 2*firstHold), maxHold)
			} else {
				m.hold = firstHold
			}
			m.until = now.Add(m.hold)
		}
		m.index = w.index
		choices[i] = Choice{ID: w.ID, Index: w.index}
	}
	for id, m := range a.tracks {
		if !m.seen {
			delete(a.tracks, id)
		}
		m.seen = false
	}
	return choices
}

// cost never falls from one index to the next, whatever was measured.
func cost(t Track, index int) (bits int) {
	for i := 0; i <= index && i < len(t.Costs); i++ {
		bits = max(bits, t.Costs[i])
	}
	return bits
}

// Total is what choices cost.
func Total(tracks []Track, choices []Choice) (bits int) {
	for i, c := range choices {
		bits += cost(tracks[i], c.Index)
	}
	return bits
}

// Ceiling is what all that is wanted would cost: more than that need not be probed for.
func Ceiling(tracks []Track) (bits int) {
	for _, t := range tracks {
		bits += cost(t, len(t.Costs)-1)
	}
	return bits + int(float64(bits)*upMargin)
}
