package link

import (
	"context"
	"sync"
)

// queue holds events until the node takes them. Frames are bounded: their reader waits, and by flow control so does the peer. What
// this package says itself (Up, Down, Refused, Opened) never waits, so it can be said under a lock; its number is bounded by carriers,
// by the limit on refusals and by the limit on streams.
type queue struct {
	out chan Event

	mu     sync.Mutex
	items  []Event
	more   chan struct{} // one token when items is not empty
	frames chan struct{} // one token per Frame in items
}

func newQueue() *queue {
	return &queue{out: make(chan Event), more: make(chan struct{}, 1), frames: make(chan struct{}, eventQueue)}
}

func (q *queue) push(ev Event) {
	q.mu.Lock()
	q.items = append(q.items, ev)
	q.mu.Unlock()
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// pushFrame waits for room until ctx ends.
func (q *queue) pushFrame(ctx context.Context, f Frame) bool {
	select {
	case q.frames <- struct{}{}:
		q.push(f)
		return true
	case <-ctx.Done():
		return false
	}
}

func (q *queue) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.more:
		}
		q.mu.Lock()
		items := q.items
		q.items = nil
		q.mu.Unlock()
		for _, ev := range items {
			select {
			case q.out <- ev:
			case <-ctx.Done():
				return
			}
			if _, ok := ev.(Frame); ok {
				<-q.frames
			}
		}
	}
}
