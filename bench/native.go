package main

import (
	"context"
	"fmt"
	"time"

	"parley.link/parley/internal/native"
)

// nativeOpen measures a native participant from its dial to the first picture of the far side that it opened.
func nativeOpen(ctx context.Context, c config) ([]table, error) {
	s, err := raise(ctx, c, 3, "test")
	if err != nil {
		return nil, err
	}
	defer s.close()
	others, err := s.enterMany(ctx, 4, func(int) (native.Config, native.Trace) { return speaks, native.Trace{} })
	if err != nil {
		return nil, err
	}
	p, err := s.accredit(0, 2)
	if err != nil {
		return nil, err
	}
	raw := map[string]samples{}
	note := func(name string, a, b time.Time) {
		x := raw[name]
		x.between(a, b)
		raw[name] = x
	}
	var index uint64
	for range c.runs(25, 4) {
		a, err := p.enter(speaks, native.Trace{})
		if err != nil {
			return nil, err
		}
		var far time.Time
		err = until(ctx, 20*time.Second, func() string {
			far = firstPicture(a, others, a.side.ID)
			f := a.Facts()
			if far.IsZero() || !f.Keyed || f.Steps.Up.IsZero() {
				return fmt.Sprintf("no picture of the far side: %+v %v", f, a.Verdicts())
			}
			return ""
		})
		if err != nil {
			return nil, err
		}
		f := a.Facts()
		note("start of the program's participant", a.began, far)
		note("dial", f.Opened, far)
		note("1 socket open, device key proved", f.Opened, f.Steps.Welcomed)
		note("2 join signed and sent (KeyPackage made)", f.Steps.Welcomed, f.Steps.JoinSent)
		note("3 join ordered by both nodes and seen", f.Steps.JoinSent, f.Steps.JoinOrdered)
		note("log read and checked (beside 2 and 3)", f.Steps.Welcomed, f.Steps.CaughtUp)
		note("4 commit of a member ordered, Welcome joined", f.Steps.JoinOrdered, f.EpochAt)
		note("5 all ready, publishers switch, next picture opened", f.EpochAt, far)
		note("down connection stands (beside 2 to 4)", f.Opened, f.Steps.Down)
		note("up connection stands (beside 2 to 4)", f.Opened, f.Steps.Up)
		note("sends with the new epoch", f.Opened, f.Steps.Keyed)
		index = f.LogNext
		if err := a.leave(ctx); err != nil {
			return nil, err
		}
		if err := settled(ctx, others, len(others)); err != nil {
			return nil, err
		}
	}
	head := table{Title: "Native participant: to the first picture of the far side, opened (ms)", Head: []string{"from", "runs", "p50", "p95"}, Raw: raw,
		Notes: []string{fmt.Sprintf("2 nodes, 2 people on each side with microphone and a camera of 30 pictures a second; the log has %d entries at the end.", index)}}
	for _, n := range []string{"dial", "start of the program's participant"} {
		head.Rows = append(head.Rows, raw[n].row(n, 50, 95))
	}
	steps := table{Title: "Where it goes (ms; 1 to 5 follow each other)", Head: []string{"step", "runs", "p50", "p95"}}
	for _, n := range []string{"1 socket open, device key proved", "2 join signed and sent (KeyPackage made)",
		"3 join ordered by both nodes and seen", "4 commit of a member ordered, Welcome joined", "5 all ready, publishers switch, next picture opened",
		"log read and checked (beside 2 and 3)", "down connection stands (beside 2 to 4)", "up connection stands (beside 2 to 4)", "sends with the new epoch"} {
		steps.Rows = append(steps.Rows, raw[n].row(n, 50, 95))
	}
	return []table{head, steps}, nil
}

// firstPicture is when the first camera picture of somebody of another side than own was opened.
func firstPicture(a *actor, others []*actor, own []byte) (at time.Time) {
	for _, s := range a.Sights() {
		if s.Source != "camera" || s.First.IsZero() {
			continue
		}
		for _, o := range others {
			if o.person.ID == s.Person && string(o.side.ID) != string(own) && (at.IsZero() || s.First.Before(at)) {
				at = s.First
			}
		}
	}
	return at
}
