package native

import (
	"context"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/wire/signalpb"
)

// Trace lets a measurement see every frame. Its functions are called on goroutines of the media and must not block; nil is allowed.
type Trace struct {
	// Sent is called for every own frame, before it is written; at is before sealing. sealed is false when no key allowed it to go.
	Sent func(source string, timestamp uint32, sealed bool, at time.Time)
	// Came is called for every whole frame of others; at is after opening.
	Came func(f rtc.Frame, opened bool, at time.Time)
	// Act is called for every act of keys and presence, beside the participant's own goroutine: before it is sent, and once the node
	// has answered it.
	Act func(kind act.Kind, answered bool)
}

func (t Trace) act(kind act.Kind, answered bool) {
	if t.Act != nil {
		t.Act(kind, answered)
	}
}

// Steps are the moments of the present attempt, from the socket's opening (Facts.Opened) to media. The zero time has not come yet.
type Steps struct {
	Welcomed    time.Time // device key proved
	CaughtUp    time.Time // log read
	JoinSent    time.Time
	JoinOrdered time.Time // own join seen in the log
	Keyed       time.Time // sends with the newest epoch
	Up, Down    time.Time // peer connections stand
}

func first(t *time.Time, now time.Time, yes bool) {
	if yes && t.IsZero() {
		*t = now
	}
}

// steps notes what the log has brought.
func (p *Participant) steps(joined, caughtUp bool) {
	now := time.Now()
	p.note(func(f *Facts) {
		first(&f.Steps.CaughtUp, now, caughtUp)
		first(&f.Steps.JoinOrdered, now, joined && !f.Steps.JoinSent.IsZero())
	})
}

func (p *Participant) mediaState(w rtc.Which, s rtc.State) {
	p.cfg.Log.Debug("media", "which", w, "state", s)
	now := time.Now()
	p.note(func(f *Facts) {
		first(&f.Steps.Up, now, w == rtc.Up && s == "connected")
		first(&f.Steps.Down, now, w == rtc.Down && s == "connected")
	})
	if w == rtc.Down && s == "failed" {
		p.restartDown()
	}
}

// restartDown asks the node to find a path anew, as a browser's client does: a connection that failed does not mend itself.
func (p *Participant) restartDown() {
	p.mu.Lock()
	d := p.open
	p.mu.Unlock()
	if d == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = d.Send(ctx, &signalpb.ToNode{Body: &signalpb.ToNode_DownAnswer{DownAnswer: &signalpb.Description{IceRestart: true}}})
}
