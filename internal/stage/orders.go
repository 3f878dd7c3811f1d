package stage

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// orderWithin is what one order may take.
const orderWithin = 30 * time.Second

// Serve lets a test in another language give orders: it says first, then answers each JSON line of in with one of out, until in ends, the
// context does, or gone closes. Every answer carries ok, and error if that is false.
func Serve[Order, Answer any](ctx context.Context, in io.Reader, out io.Writer, gone <-chan struct{}, first Answer,
	obey func(context.Context, Order) (Answer, error)) error {
	say := func(a Answer, err error) error {
		line := map[string]any{}
		b, bad := json.Marshal(a)
		if bad == nil {
			bad = json.Unmarshal(b, &line)
		}
		if bad != nil {
			return fmt.Errorf("write an answer: %w", bad)
		}
		if line["ok"] = err == nil; err != nil {
			line["error"] = err.Error()
		}
		return json.NewEncoder(out).Encode(line)
	}
	if err := say(first, nil); err != nil {
		return err
	}
	orders := make(chan Order)
	go runOrders(ctx, in, orders)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-gone:
			return nil
		case o, open := <-orders:
			if !open {
				return nil
			}
			limited, cancel := context.WithTimeout(ctx, orderWithin)
			a, err := obey(limited, o)
			cancel()
			if err := say(a, err); err != nil {
				return err
			}
		}
	}
}

// runOrders ends with the test's end of the pipe.
func runOrders[Order any](ctx context.Context, in io.Reader, orders chan<- Order) {
	defer close(orders)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var o Order
		if json.Unmarshal(lines.Bytes(), &o) != nil {
			return
		}
		select {
		case orders <- o:
		case <-ctx.Done():
			return
		}
	}
}
