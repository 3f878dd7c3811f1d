package session_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
	"parley.link/parley/internal/session/sessiontest"
)

var update = flag.Bool("update", false, "write testdata/transcripts anew")

const transcriptDir = "../../testdata/transcripts"

// transcript is a file of testdata/transcripts. Go writes it from the scripts in scripts_test.go; Go and TypeScript replay it.
type transcript struct {
	Name  string `json:"name"`
	About string `json:"about"`
	After string `json:"after,omitempty"` // the transcript whose steps go first
	Scope string `json:"scope"`
	Steps []line `json:"steps"`
}

// line is one step: exactly one of Entry, Overlay and Ask. Bytes are hex.
type line struct {
	Do      string   `json:"do"`
	Want    string   `json:"want"` // ok, or the problem code
	Entry   string   `json:"entry,omitempty"`
	Overlay string   `json:"overlay,omitempty"` // act.SignedOutbox
	Ask     string   `json:"ask,omitempty"`     // act.Signed, for Refuse
	At      int64    `json:"at,omitempty"`      // of an ask
	Effects []string `json:"effects,omitempty"`
	View    string   `json:"view"`
	Summary string   `json:"summary"` // SHA-256 of Summary()
}

// script writes a transcript.
type script struct {
	*sessiontest.World
	t     *testing.T
	state *session.State
	out   transcript
	past  int // steps of the transcript before
}

func newScript(t *testing.T, w *sessiontest.World, name, about string) *script {
	return &script{World: w, t: t, state: session.New(w.Scope), out: transcript{Name: name, About: about, Scope: hex.EncodeToString(w.Scope[:])}}
}

// then continues a script under another name.
func (s *script) then(name, about string) *script {
	c := *s
	c.out = transcript{Name: name, About: about, After: s.out.Name, Scope: s.out.Scope}
	return &c
}

func wantOf(err error) string {
	if err == nil {
		return "ok"
	}
	return string(problem.CodeOf(err))
}

func (s *script) note(l line, err error, want string) {
	s.t.Helper()
	l.Want = wantOf(err)
	if l.Want != want {
		s.t.Errorf("%s: %q: got %v, want %s", s.out.Name, l.Do, err, want)
	}
	l.View = view(s.state)
	sum := sha256.Sum256(s.state.Summary())
	l.Summary = hex.EncodeToString(sum[:])
	s.out.Steps = append(s.out.Steps, l)
}

// raw offers entry bytes.
func (s *script) raw(do string, entry []byte, want string) {
	s.t.Helper()
	before := s.state.Summary()
	effects, err := offer(s.state, entry)
	if err != nil && !bytes.Equal(before, s.state.Summary()) {
		s.t.Errorf("%q: refused, but the state changed", do)
	}
	s.note(line{Do: do, Entry: hex.EncodeToString(entry), Effects: effectLines(effects)}, err, want)
}

// order offers the next entry with an act.
func (s *script) order(do string, signed act.Signed, want string) {
	s.t.Helper()
	s.raw(do, s.Entry(s.state, signed), want)
}

// item offers the next entry with the next outbox item of a side.
func (s *script) item(do string, side *sessiontest.Side, signed act.Signed, want string) {
	s.t.Helper()
	it := s.Item(side, signed)
	s.raw(do, s.Entry(s.state, it), want)
	if want == "ok" {
		side.Advance(it)
	}
}

// overlay puts the next outbox item of a side in effect before it is ordered.
func (s *script) overlay(do string, side *sessiontest.Side, signed act.Signed, want string) act.SignedOutbox {
	s.t.Helper()
	it := s.Item(side, signed)
	s.overlayItem(do, it, want)
	if want == "ok" {
		side.Advance(it)
	}
	return it
}

func (s *script) overlayItem(do string, it act.SignedOutbox, want string) {
	s.t.Helper()
	err := offerOverlay(s.state, it)
	s.note(line{Do: do, Overlay: hex.EncodeToString(act.Encode(it))}, err, want)
}

// ask asks whether an act would be refused.
func (s *script) ask(do string, signed act.Signed, want string) {
	s.t.Helper()
	err := s.state.Refuse(signed, s.Now)
	s.note(line{Do: do, Ask: hex.EncodeToString(act.Encode(signed)), At: s.Now}, err, want)
}

// offer is what a node does with an entry, heads aside.
func offer(st *session.State, entry []byte) ([]session.Effect, error) {
	checks, err := st.Checks(entry)
	if err != nil {
		return nil, err
	}
	if err := session.Verify(checks); err != nil {
		return nil, err
	}
	return st.Apply(entry)
}

func offerOverlay(st *session.State, it act.SignedOutbox) error {
	checks, err := st.OverlayChecks(it)
	if err != nil {
		return err
	}
	if err := session.Verify(checks); err != nil {
		return err
	}
	return st.Overlay(it)
}

func short(b []byte) string {
	if len(b) == 0 {
		return "-"
	}
	return hex.EncodeToString(b[:4])
}

func effectLines(effects []session.Effect) []string {
	var out []string
	for _, e := range effects {
		parts := []string{e.Kind, "act=" + short(e.Act[:]), "side=" + short(e.Side)}
		if len(e.Join) > 0 {
			parts = append(parts, "join="+short(e.Join))
		}
		if e.Track != "" {
			parts = append(parts, "track="+e.Track)
		}
		if e.Code != "" {
			parts = append(parts, "code="+string(e.Code))
		}
		if e.Early {
			parts = append(parts, "early")
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// view is one line of what the engine's views say, for people and for comparing the views of both engines.
func view(s *session.State) string {
	parts := []string{s.Phase()}
	for _, x := range s.Suspensions() {
		parts = append(parts, "suspended:"+x.Reason)
	}
	for _, m := range s.Present() {
		may := ""
		if s.MayHear(m.Device) {
			may = "+"
		}
		parts = append(parts, m.Person+may)
	}
	for _, t := range s.Tracks() {
		m, _ := s.Member(t.Join)
		state := "live"
		if !s.MayPublish(m.Device, t.ID) {
			state = "silent"
		}
		parts = append(parts, fmt.Sprintf("%s/%s:%s", m.Person, t.Source, state))
	}
	if g := s.Group(); len(g.ID) > 0 {
		var leaves []string
		for _, j := range g.Leaves {
			leaves = append(leaves, short(j))
		}
		parts = append(parts, fmt.Sprintf("group %s epoch %d [%s]", short(g.ID), g.Epoch, strings.Join(leaves, " ")))
	}
	for _, m := range s.PendingAdds() {
		parts = append(parts, "add:"+m.Person)
	}
	for _, r := range s.PendingRemoves() {
		parts = append(parts, fmt.Sprintf("remove:%d:%s", r.Leaf, r.Why))
	}
	for _, l := range s.LeafRoster() {
		sum := sha256.Sum256(append(append([]byte{}, l.Identity...), l.Key...))
		parts = append(parts, fmt.Sprintf("leaf %d %s", l.Leaf, short(sum[:])))
	}
	return strings.Join(parts, " · ")
}

// TestTranscripts runs every script and compares it with its file, byte for byte.
func TestTranscripts(t *testing.T) {
	if *update {
		if err := os.MkdirAll(transcriptDir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range scripts(t) {
		b, err := json.MarshalIndent(s.out, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, '\n')
		path := filepath.Join(transcriptDir, s.out.Name+".json")
		if *update {
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(kept, b) {
			t.Errorf("%s: the engine no longer says what the file says; review with -update", path)
		}
	}
}

// TestReplay replays the files alone, as TypeScript does.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob(transcriptDir + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	read := func(path string) transcript {
		var tr transcript
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &tr); err != nil {
			t.Fatal(err)
		}
		return tr
	}
	for _, path := range files {
		tr := read(path)
		t.Run(tr.Name, func(t *testing.T) {
			steps := tr.Steps
			for after := tr.After; after != ""; {
				before := read(filepath.Join(transcriptDir, after+".json"))
				steps, after = append(before.Steps, steps...), before.After
			}
			scope, _ := hex.DecodeString(tr.Scope)
			st := session.New([32]byte(scope))
			for _, l := range steps {
				replay(t, st, l)
			}
			again, err := session.Restore(st.Snapshot())
			if err != nil || !bytes.Equal(again.Snapshot(), st.Snapshot()) {
				t.Errorf("a snapshot does not restore: %v", err)
			}
			if !bytes.Equal(st.Clone().Summary(), st.Summary()) {
				t.Error("a clone differs")
			}
		})
	}
}

func replay(t *testing.T, st *session.State, l line) {
	t.Helper()
	var err error
	var effects []session.Effect
	switch {
	case l.Entry != "":
		b, _ := hex.DecodeString(l.Entry)
		effects, err = offer(st, b)
	case l.Overlay != "":
		var it act.SignedOutbox
		decode(t, l.Overlay, &it)
		err = offerOverlay(st, it)
	case l.Ask != "":
		var signed act.Signed
		decode(t, l.Ask, &signed)
		err = st.Refuse(signed, l.At)
	}
	sum := sha256.Sum256(st.Summary())
	if wantOf(err) != l.Want || view(st) != l.View || hex.EncodeToString(sum[:]) != l.Summary ||
		strings.Join(effectLines(effects), "\n") != strings.Join(l.Effects, "\n") {
		t.Errorf("%q: got %v, %s; want %s, %s", l.Do, err, view(st), l.Want, l.View)
	}
}

var _ = ident.Version
