// Command netshim is a network path for tests: two TUN devices in two network namespaces, and between them loss, bursts, delay,
// jitter and a rate with a drop-tail queue, which a test changes over HTTP while a call runs. See README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// maxOrder bounds what a test sends.
const maxOrder = 4 << 10

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "netshim:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var a, b end
	flag.StringVar(&a.namespace, "a", "", "namespace of end a")
	flag.StringVar(&b.namespace, "b", "", "namespace of end b")
	flag.StringVar(&a.address, "a-address", "10.204.1.1", "address of end a")
	flag.StringVar(&b.address, "b-address", "10.204.1.2", "address of end b")
	device := flag.String("device", "shim0", "name of the device at both ends")
	seed := flag.Uint64("seed", 1, "of all chance")
	control := flag.String("control", "127.0.0.1:0", "where orders are taken, HTTP")
	flag.Parse()
	a.device, b.device, a.peer, b.peer = *device, *device, b.address, a.address
	fa, err := a.open()
	if err != nil {
		return err
	}
	defer fa.Close()
	fb, err := b.open()
	if err != nil {
		return err
	}
	defer fb.Close()
	l, err := net.Listen("tcp", *control)
	if err != nil {
		return fmt.Errorf("listen for orders: %w", err)
	}
	up, down := newDirection(2*(*seed)), newDirection(2*(*seed)+1)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for _, way := range []struct {
		d        *direction
		from, to *os.File
	}{{up, fa, fb}, {down, fb, fa}} {
		wait.Go(func() {
			if err := way.d.runTake(way.from); err != nil {
				cancel(err)
			}
		})
		wait.Go(func() { way.d.runGive(ctx, way.to) })
	}
	server := &http.Server{Handler: routes(up, down), ReadHeaderTimeout: 5 * time.Second}
	wait.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			cancel(err)
		}
	})
	fmt.Printf("{\"control\":\"http://%s\"}\n", l.Addr())
	<-ctx.Done()
	_ = server.Close()
	_, _ = fa.Close(), fb.Close()
	wait.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

type order struct {
	Up   *Condition `json:"up"`   // from a to b
	Down *Condition `json:"down"` // from b to a
}

type report struct {
	Condition Condition `json:"condition"`
	Counts    Counts    `json:"counts"`
}

func routes(up, down *direction) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /set", func(w http.ResponseWriter, r *http.Request) {
		var o order
		d := json.NewDecoder(io.LimitReader(r.Body, maxOrder))
		d.DisallowUnknownFields()
		err := d.Decode(&o)
		for _, c := range []*Condition{o.Up, o.Down} {
			if err == nil && c != nil {
				err = c.Check()
			}
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if o.Up != nil {
			up.set(*o.Up)
		}
		if o.Down != nil {
			down.set(*o.Down)
		}
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		of := func(d *direction) report { c, n := d.stats(); return report{c, n} }
		_ = json.NewEncoder(w).Encode(map[string]report{"up": of(up), "down": of(down)})
	})
	return mux
}
