package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"testing"

	"parley.link/parley/internal/store"
)

// One stranger with any number of devices and addresses of its own fills neither the officers' list nor the place of one who asked from elsewhere.
func TestFloodOfEnrolments(t *testing.T) {
	p := newParty(t, "velmark")
	p.start()
	t.Cleanup(p.halt)
	people, ctx, since := p.node.people, context.Background(), int64(1000)
	ask := func(name, from string) {
		t.Helper()
		since++
		e := store.Enrolment{Device: newKey(t).Public(), Name: name, Language: "en", Since: since, State: store.EnrolmentWaiting}
		_, _ = rand.Read(e.ID[:])
		if _, err := people.Enrol(ctx, e, netip.MustParseAddr(from)); err != nil {
			t.Fatal(err)
		}
	}
	waiting := func() map[string]bool {
		t.Helper()
		list, err := p.node.store.Enrolments(ctx, store.EnrolmentWaiting)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]bool{}
		for _, e := range list {
			out[e.Name] = true
		}
		return out
	}
	ask("Elena", "198.51.100.7")
	ask("Karim", "2001:db8:aaaa:1::9")
	for i := range 12 { // one /64
		ask(fmt.Sprint("one ", i), fmt.Sprintf("2001:db8:1:2::%x", i+1))
	}
	if w := waiting(); len(w) != 2+pendingOfEach || !w["one 11"] || w["one 3"] || !w["one 4"] {
		t.Errorf("of one /64 %v", w)
	}
	for i := range 60 { // a /48 of /64s
		ask(fmt.Sprint("many ", i), fmt.Sprintf("2001:db8:1:%x::1", 0x100+i))
	}
	if w := waiting(); len(w) != 2+2*pendingOfEach {
		t.Errorf("of one /48 %d", len(w)-2)
	}
	for i := range 60 { // a /32 of /48s
		ask(fmt.Sprint("most ", i), fmt.Sprintf("2001:db8:%x::1", 0x100+i))
	}
	if w := waiting(); len(w) > 1+4*pendingOfEach || !w["Elena"] {
		t.Errorf("of one /32 %d: %v", len(w)-1, w)
	}
	for i := range 100 { // many providers: the list stays bounded, and the one from elsewhere in it
		ask(fmt.Sprint("else ", i), fmt.Sprintf("2001:%x:%x::1", 0x1000+i/20, i))
	}
	if w := waiting(); len(w) != maxPending || !w["Elena"] || !w["else 99"] {
		t.Errorf("in all %d: %v", len(w), w)
	}
	if len(people.asking) > maxPending+1 {
		t.Errorf("%d addresses remembered", len(people.asking))
	}
}
