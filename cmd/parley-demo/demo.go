package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"parley.link/parley/internal/stage"
	"parley.link/parley/internal/wire/signalpb"
)

type demo struct {
	binary  string
	dir     string
	port    int
	doubles int
	out     io.Writer

	stage *stage.Stage
	wait  sync.WaitGroup
}

var title = map[string]string{
	"en": "Velmark – Qasran, expanded session", "ar": "فيلمارك – قصران، جلسة موسعة", "fr": "Velmark – Qasran, session élargie",
	"ru": "Вельмарк – Касран, расширенное заседание", "zh": "韦尔马克与卡斯兰扩大会谈", "es": "Velmark – Qasrán, sesión ampliada",
}

func (d *demo) run(ctx context.Context) error {
	fmt.Fprintln(d.out, "Parley demonstration: two fictional sides on this machine, loopback only.")
	fmt.Fprintln(d.out, "Its scripted officers accredit whoever opens an address below without comparing anything. A real node never does.")
	fmt.Fprintln(d.out, "Making the keys of both sides, starting two nodes …")
	ports, err := d.ports()
	if err != nil {
		return err
	}
	s, err := stage.Raise(ctx, stage.Config{Dir: d.dir, Binary: d.binary, Casts: []stage.Cast{stage.Velmark(), stage.Qasran()}, Ports: ports, Title: title, Status: "test"})
	if err != nil {
		return err
	}
	d.stage = s
	defer d.wait.Wait()
	defer s.Strike()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, sd := range s.Sides {
		for _, p := range sd.Cast.People[:d.doubles] {
			if err := d.double(ctx, sd, p); err != nil {
				return err
			}
		}
		d.wait.Go(func() { d.runOfficer(ctx, sd) })
	}
	d.wait.Go(func() { d.runResume(ctx) })
	d.print()
	for _, sd := range s.Sides {
		select {
		case <-sd.Node.Done():
			return fmt.Errorf("the node of %s has ended; its log is %s/node.log", sd.Cast.Name["en"], sd.Data)
		default:
		}
	}
	select {
	case <-ctx.Done():
	case <-s.Sides[0].Node.Done():
	case <-s.Sides[1].Node.Done():
	}
	fmt.Fprintln(d.out, "\nStopping.")
	return nil
}

// ports gives the browsers' ports as asked, the rest free ones.
func (d *demo) ports() ([]stage.Ports, error) {
	var all []stage.Ports
	for i := range 2 {
		p, err := stage.FreePorts()
		if err != nil {
			return nil, err
		}
		p.Web = d.port + i
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(p.Web))
		if err != nil {
			return nil, fmt.Errorf("port %d is in use, perhaps by another demonstration; stop it, or choose others with -port, for example -port %d", p.Web, d.port+100)
		}
		_ = l.Close()
		all = append(all, p)
	}
	return all, nil
}

func (d *demo) print() {
	fmt.Fprintln(d.out, "\nReady. Open any address in Chromium, Chrome, Edge or Firefox; open two to see yourself from the other side.")
	for _, sd := range d.stage.Sides {
		fmt.Fprintf(d.out, "\n  %s\n", sd.Cast.Name["en"])
		for i, p := range sd.Cast.People {
			note := ""
			if i < d.doubles {
				note = "  (a synthetic double sits there until you come)"
			}
			fmt.Fprintf(d.out, "    %-34s %s%s\n", sd.Origin(p.ID), p.Name["en"]+", "+p.Office["en"], note)
		}
		fmt.Fprintf(d.out, "    %-34s Protocol officer: accredits, revokes, links (not in the room)\n", sd.Origin(officerLabel(sd)))
	}
	fmt.Fprintln(d.out, "\nCtrl-C ends it.")
}

// runOfficer accredits every device that asks from a persona's origin. The label is what the page says of itself; on a machine
// where only its owner reaches loopback that is good enough for a play, and for nothing else.
func (d *demo) runOfficer(ctx context.Context, sd *stage.Side) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	certified := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r, err := sd.Office.List(ctx)
		if err != nil {
			continue // the node restarts, or we stop
		}
		for _, e := range r.Pending {
			if label(e) == officerLabel(sd) && !certified[string(e.Device)] {
				certified[string(e.Device)] = true
				err := sd.Certify(e.Device, officerLabel(sd), "Protocol officer")
				if err == nil { // an officer needs no accreditation to do an officer's work
					err = sd.Office.Decline(ctx, e.Id, "certified as an officer instead")
				}
				if err != nil {
					fmt.Fprintf(d.out, "  %s could not be certified: %v\n", officerLabel(sd), err)
				}
				continue
			}
			if p, ok := sd.Person(label(e)); ok {
				if _, err := sd.Office.Accredit(ctx, e.Id, sd.Accreditation(p, e.Device)); err != nil {
					fmt.Fprintf(d.out, "  %s could not be accredited: %v\n", p.ID, err)
				}
			}
		}
	}
}

// label is the persona whose page asks: the first part of name.localhost.
func label(e *signalpb.PendingEnrolment) string {
	l, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(e.Note)), ".localhost")
	return l
}

// officerLabel is the persona of a side's protocol officer, whose device the delegation key certifies instead of an officer.
func officerLabel(sd *stage.Side) string { return sd.Cast.ID[:1] + "-protocol" }

// runResume has both officers agree to go on when the session stands still and the link is up again.
func (d *demo) runResume(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if d.stage.Sides[0].State(d.stage.Scope) != "suspended" {
			continue
		}
		links, err := d.stage.Links(ctx, d.stage.Sides[0])
		if err != nil || len(links) == 0 || links[0].State != "up" {
			continue
		}
		_ = d.stage.Resume(ctx) // refused while a newer suspension stands; tried again
	}
}
