package office

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/native"
	"parley.link/parley/internal/synth"
)

// MaxPeople bounds a rehearsal, on each side.
const MaxPeople = 8

// fresh is how new a frame must be to count as heard or seen now.
const fresh = time.Second

// Report is what one side's synthetic people made of the rehearsal.
type Report struct {
	Passed        bool
	Why           string // not passed: what was missing at the end
	Took          time.Duration
	Interruptions int
	Fingerprint   []string
	Lines         []Line
}

// Line is what one synthetic person makes of another one.
type Line struct {
	Person, Of  string
	Across      bool // the link lies between
	Heard, Seen bool
	First       time.Duration // from the beginning of the measurement to the first opened picture
	Late        time.Duration // age of the newest picture when it was whole; between machines as exact as their clocks
	Opened      uint64
	Closed      uint64 // frames that came and did not open
}

// measure is when everybody began to hear and see everybody.
type measure struct {
	began       time.Time
	since       time.Time // all is well; zero: it is not
	took        time.Duration
	why         string
	failed      bool
	interrupted int
	suspended   bool
}

func (m *measure) begin(now time.Time) { m.began, m.why = now, "nobody was heard yet" }

func (m *measure) interrupt(time.Time) {
	if !m.suspended {
		m.interrupted++
	}
	m.suspended, m.since, m.why = true, time.Time{}, "the session stood still"
}

func (m *measure) look(now time.Time, t *troupe) {
	m.suspended = false
	if m.why = t.complaint(now); m.why != "" {
		m.since = time.Time{}
		return
	}
	if m.since.IsZero() {
		m.since = now
	}
	if m.took == 0 {
		m.took = now.Sub(m.began)
	}
}

// done says whether there is a result: all was well for long enough, or not in time.
func (m *measure) done(now time.Time, hold time.Duration) bool {
	if !m.since.IsZero() && now.Sub(m.since) >= hold {
		return true
	}
	m.failed = now.Sub(m.began) > enterWithin+hold
	return m.failed
}

// complaint says what is missing, of whom, for whom; nothing when everybody hears and sees everybody under the right name and in one group.
func (t *troupe) complaint(now time.Time) string {
	var words []string
	for _, p := range t.people {
		f := p.Facts()
		if f.Members != len(t.seats) || f.Attested != len(t.seats) || f.Differing != 0 || f.Forked {
			return fmt.Sprintf("%s: %d of %d in the group, %d confirmed", person(p.seat), f.Members, len(t.seats), f.Attested)
		}
		if words == nil {
			words = f.Fingerprint
		}
		if !slices.Equal(words, f.Fingerprint) {
			return "two of one side have different fingerprints"
		}
		for i := range t.seats {
			if i == p.seat {
				continue
			}
			heard, seen, x := t.senses(p, i, now)
			if !heard || !seen {
				return fmt.Sprintf("%s of %s: heard %v, seen %v, %d frames opened, %d not", person(p.seat), person(i), heard, seen, x.Opened, x.Closed)
			}
		}
	}
	return ""
}

// senses says whether a person hears the right tone and no other, and sees the right picture, of the one in a seat.
func (t *troupe) senses(p actor, seat int, now time.Time) (heard, seen bool, sum native.Sight) {
	for _, x := range p.Sights() {
		if x.Person != person(seat) {
			continue
		}
		sum.Opened, sum.Closed = sum.Opened+x.Opened, sum.Closed+x.Closed
		live := now.Sub(x.Last) < fresh
		switch x.Source {
		case act.SourceMicrophone:
			heard = live
			for i := range t.seats {
				heard = heard && p.Hears(x.Track, synth.ToneOf(i)) == (i == seat)
			}
		case act.SourceCamera:
			seen = live && x.Read && x.Number == seat && synth.Near(x.Colour, synth.Colour(seat))
			sum.First, sum.Late = x.First, x.Late
		}
	}
	return heard, seen, sum
}

func (m *measure) report(t *troupe) Report {
	r := Report{Passed: !m.failed && m.took > 0, Why: m.why, Took: m.took, Interruptions: m.interrupted, Lines: t.lines}
	if r.Passed {
		r.Why = ""
	}
	r.Fingerprint = t.words
	return r
}

// observe keeps what everybody makes of everybody while the session runs: once it is closed nothing is heard any more.
func (t *troupe) observe(began, now time.Time) {
	t.lines = t.lines[:0]
	for _, p := range t.people {
		t.words = p.Facts().Fingerprint
		for i, s := range t.seats {
			if i == p.seat {
				continue
			}
			l := Line{Person: person(p.seat), Of: person(i), Across: !bytes.Equal(s.Side, t.seats[p.seat].Side)}
			var x native.Sight
			l.Heard, l.Seen, x = t.senses(p, i, now)
			l.Late, l.Opened, l.Closed = x.Late, x.Opened, x.Closed
			if !x.First.IsZero() {
				l.First = x.First.Sub(began)
			}
			t.lines = append(t.lines, l)
		}
	}
}

// Write prints the report as a table and its verdict as the last line.
func (r Report) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "WHO\tOF WHOM\tOVER THE LINK\tHEARS\tSEES\tFIRST PICTURE\tLATE\tFRAMES OPENED\tNOT OPENED")
	for _, l := range r.Lines {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n", l.Person, l.Of, yes(l.Across), yes(l.Heard), yes(l.Seen),
			l.First.Round(time.Millisecond), l.Late.Round(time.Millisecond), l.Opened, l.Closed)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nsession fingerprint  %s\ninterruptions        %d\n", strings.Join(r.Fingerprint, " "), r.Interruptions)
	if r.Passed {
		_, err := fmt.Fprintf(w, "PASS  everybody hears and sees everybody after %v\n", r.Took.Round(time.Millisecond))
		return err
	}
	_, err := fmt.Fprintf(w, "FAIL  %s\n", r.Why)
	return err
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
