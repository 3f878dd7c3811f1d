package main

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// inFlight bounds what waits for its time; above it the tail is dropped, whatever the condition says.
const inFlight = 1 << 15

// Counts are what one direction did since it began.
type Counts struct {
	In      int64 `json:"in"`
	Out     int64 `json:"out"`
	Lost    int64 `json:"lost"`
	Dropped int64 `json:"dropped"`
	Bytes   int64 `json:"bytes"` // that went in
}

// direction moves packets one way.
type direction struct {
	mu     sync.Mutex
	path   *Path
	counts Counts
	flying chan packet
}

type packet struct {
	at    time.Time
	bytes []byte
}

func newDirection(seed uint64) *direction {
	return &direction{path: NewPath(seed), flying: make(chan packet, inFlight)}
}

func (d *direction) set(c Condition) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.path.Condition = c
}

func (d *direction) stats() (Condition, Counts) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.path.Condition, d.counts
}

// runTake reads packets and gives each its time, until the device is closed.
func (d *direction) runTake(from io.Reader) error {
	defer close(d.flying)
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		d.take(time.Now(), buffer[:n])
	}
}

func (d *direction) take(now time.Time, b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.counts.In++
	d.counts.Bytes += int64(len(b))
	at, verdict := d.path.Offer(now, len(b))
	switch verdict {
	case Lost:
		d.counts.Lost++
	case Dropped:
		d.counts.Dropped++
	default:
		select {
		case d.flying <- packet{at, append([]byte(nil), b...)}:
		default:
			d.counts.Dropped++
		}
	}
}

// runGive writes each packet when its time has come. A path keeps order, so the first of the queue is the next.
func (d *direction) runGive(ctx context.Context, to io.Writer) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for p := range d.flying {
		if wait := time.Until(p.at); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		}
		if _, err := to.Write(p.bytes); err == nil {
			d.mu.Lock()
			d.counts.Out++
			d.mu.Unlock()
		}
	}
}
