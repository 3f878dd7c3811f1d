package stage

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
)

// chatter publishes and withdraws tracks in people's names all the time and keeps what their nodes acknowledged.
type chatter struct {
	mu   sync.Mutex
	acks map[act.ID]string
	wait sync.WaitGroup
	stop context.CancelFunc
}

func talk(t *testing.T, actors ...*actor) *chatter {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	c := &chatter{acks: map[act.ID]string{}, stop: stop}
	for _, a := range actors {
		c.wait.Go(func() { c.runTalk(ctx, t.Name(), a) })
	}
	t.Cleanup(c.end)
	return c
}

func (c *chatter) runTalk(ctx context.Context, name string, a *actor) {
	var open []string // announced, perhaps: an answer may be lost with a node
	pause := time.NewTicker(150 * time.Millisecond)
	defer pause.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		if len(open) > 0 {
			id, err := a.Submit(ctx, act.KindWithdraw, act.Withdraw{Track: open[0]})
			c.note(id, err, "withdraw by "+a.person.ID)
			open = open[1:]
			continue
		}
		track := sessiontest.TrackID(fmt.Sprint(name, a.person.ID, time.Now().UnixNano(), i)) // of one join for ever
		id, err := a.Submit(ctx, act.KindPublish, act.Publish{Track: track, Source: act.SourceScreenAudio, Codec: "opus"})
		c.note(id, err, "publish by "+a.person.ID)
		open = append(open, track)
	}
}

func (c *chatter) note(id act.ID, err error, what string) {
	if err == nil {
		c.mu.Lock()
		c.acks[id] = what
		c.mu.Unlock()
	}
}

// end stops talking and gives what was acknowledged.
func (c *chatter) end() {
	c.stop()
	c.wait.Wait()
}

// listener measures how long a stands without sound of o while the session runs.
type listener struct {
	mu    sync.Mutex
	worst time.Duration
	stop  context.CancelFunc
	done  chan struct{}
}

func listen(t *testing.T, a, o *actor) *listener {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &listener{stop: stop, done: make(chan struct{})}
	go l.runListen(ctx, a, o)
	t.Cleanup(func() { _ = l.end() })
	return l
}

func (l *listener) runListen(ctx context.Context, a, o *actor) {
	defer close(l.done)
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	running := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-poll.C:
			if a.Facts().Phase != session.PhaseAgreed || o.Facts().Phase != session.PhaseAgreed {
				running = now
				continue
			}
			for _, s := range a.Sights() {
				if s.Person != o.person.ID || s.Source != act.SourceMicrophone {
					continue
				}
				last := s.Last
				if last.Before(running) {
					last = running // suspended people say nothing; the wait begins when the session goes on
				}
				l.mu.Lock()
				l.worst = max(l.worst, now.Sub(last))
				l.mu.Unlock()
			}
		}
	}
}

// end gives the longest silence.
func (l *listener) end() time.Duration {
	l.stop()
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.worst
}
