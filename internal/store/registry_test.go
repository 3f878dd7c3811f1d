package store

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/problem"
)

func TestRegistry(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "db"), Options{})

	if _, err := s.SideIdentity(ctx); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	id := SideIdentity{Name: map[string]string{"en": "Velmark"}, Language: "en", Delegation: []byte{1}, NodeCert: []byte{2}, Officers: [][]byte{{3}, {4}}}
	must(t, s.SetSideIdentity(ctx, id))
	if got, err := s.SideIdentity(ctx); err != nil || !reflect.DeepEqual(got, id) {
		t.Fatal(got, err)
	}

	e := Enrolment{ID: [16]byte{1}, Device: []byte{9}, Name: "n", Language: "ar", Since: 3, State: EnrolmentWaiting}
	must(t, s.SaveEnrolment(ctx, e))
	if got, err := s.EnrolmentOf(ctx, []byte{9}); err != nil || !reflect.DeepEqual(got, e) {
		t.Fatal(got, err)
	}
	e.State, e.Accreditation = EnrolmentAccredited, []byte{7}
	must(t, s.SaveEnrolment(ctx, e))
	if got, err := s.Enrolments(ctx, EnrolmentWaiting); err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
	if got, err := s.EnrolmentByID(ctx, e.ID); err != nil || got.State != EnrolmentAccredited {
		t.Fatal(got, err)
	}

	must(t, s.SaveAccreditation(ctx, Accreditation{Device: []byte{9}, Person: "v-prin", At: 4, Signed: []byte{5}}))
	if got, err := s.AccreditationOf(ctx, []byte{9}); err != nil || got.Person != "v-prin" {
		t.Fatal(got, err)
	}
	for range 2 {
		must(t, s.SaveRevocation(ctx, Revocation{Person: "v-prin", At: 5, Signed: []byte{6}}))
	}
	if got, err := s.Revocations(ctx); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}

	row := SessionRow{Scope: testScope, Title: map[string]string{"en": "T"}, Status: "test", State: "planned", From: 1, Until: 2, Proposer: testOwn}
	must(t, s.SaveSession(ctx, row))
	row.State = "open"
	must(t, s.SaveSession(ctx, row))
	if got, err := s.Sessions(ctx); err != nil || !reflect.DeepEqual(got, []SessionRow{row}) {
		t.Fatal(got, err)
	}

	for i := range 5 {
		must(t, s.Log(ctx, SecurityLine{At: int64(i), Kind: "refused", Scope: testScope, Side: testPeer}))
	}
	if got, err := s.SecurityLog(ctx, 2); err != nil || len(got) != 2 || got[0].At != 4 {
		t.Fatal(got, err)
	}
}

// TestSwappedCard: a card that replaces a verified one must not inherit what was compared by hand.
func TestSwappedCard(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "db"), Options{})
	l := Link{Side: testPeer, Card: []byte("one"), Address: "a:1", Added: 1}
	must(t, s.SaveLink(ctx, l))
	if err := s.VerifyLink(ctx, testPeer, []byte("two"), Verification{How: "in-person"}); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	must(t, s.VerifyLink(ctx, testPeer, []byte("one"), Verification{How: "in-person", At: 2, By: "v-off"}))
	l.Address = "b:2"
	must(t, s.SaveLink(ctx, l))
	if got, err := s.LinkOf(ctx, testPeer); err != nil || got.Verified.By != "v-off" || got.Address != "b:2" {
		t.Fatal(got, err)
	}
	l.Card = []byte("two")
	must(t, s.SaveLink(ctx, l))
	if got, err := s.LinkOf(ctx, testPeer); err != nil || got.Verified != (Verification{}) {
		t.Fatal(got, err)
	}
	must(t, s.RemoveLink(ctx, testPeer))
	if got, err := s.Links(ctx); err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
}

func TestSnapshot(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "db"), Options{})
	r := (&chain{}).turn()
	must(t, s.Append(ctx, testScope, testOwn, r))
	if _, err := s.LoadSnapshot(ctx, testScope); !errors.Is(err, ErrNotFound) {
		t.Fatal("a snapshot out of nothing", err)
	}
	must(t, s.SaveSnapshot(ctx, testScope, ledger.Snapshot{Index: 0, Hash: ledger.Scope{9}, State: []byte("x")}))
	if _, err := s.LoadSnapshot(ctx, testScope); problem.CodeOf(err) != problem.StoreDamaged {
		t.Fatal("a snapshot that does not stand on the log", err)
	}
	must(t, s.SaveSnapshot(ctx, testScope, ledger.Snapshot{Index: 0, Hash: r.Entries[0].Hash, State: []byte("x")}))
	if got, err := s.LoadSnapshot(ctx, testScope); err != nil || string(got.State) != "x" {
		t.Fatal(got, err)
	}
	if _, err := s.db.ExecContext(ctx, `UPDATE snapshots SET state=x'00'`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadSnapshot(ctx, testScope); problem.CodeOf(err) != problem.StoreDamaged {
		t.Fatal("a broken snapshot", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
