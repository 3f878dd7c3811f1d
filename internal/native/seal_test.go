package native

import (
	"bytes"
	"testing"
	"time"

	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/sframe"
)

func base(t *testing.T, b byte) sframe.BaseKey {
	t.Helper()
	k, err := sframe.NewBaseKey(bytes.Repeat([]byte{b}, sframe.BaseKeySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// member is a participant's seal at a leaf, holding and sending with an epoch.
func member(t *testing.T, leaf uint32, epoch uint64, key byte) *seal {
	t.Helper()
	s := newSeal()
	s.install(epoch, leaf, base(t, key), time.Now())
	if err := s.sendNewest(); err != nil {
		t.Fatal(err)
	}
	return s
}

// A node hands out one person's frames under another's track, or one track of a person as another of the same. Nothing opens: a
// track is opened with the key of the leaf whose device announced it, and of that very track.
func TestSwappedTracks(t *testing.T) {
	a, b, hearer := member(t, 1, 5, 7), member(t, 2, 5, 7), member(t, 3, 5, 7)
	const camA, micA, camB = "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAQ", "BBBBBBBBBBBBBBBBBBBBBA"
	tracks := map[string]announced{}
	for id, leaf := range map[string]uint32{camA: 1, micA: 1, camB: 2} {
		tracks[id] = announced{leaf: leaf, context: sframe.TrackContext(id), codec: sframe.Opus, known: true}
	}
	hearer.announce(tracks)
	frame := []byte("what was said")
	for _, c := range []struct {
		name     string
		by       *seal
		track    string
		shown    string
		opens    bool
		counting sframe.Verdict
	}{
		{"its own", a, camA, camA, true, sframe.Opened},
		{"its own, of the other", b, camB, camB, true, sframe.Opened},
		{"another person's picture", b, camB, camA, false, sframe.WrongLeaf},
		{"another track of the same person", a, micA, camA, false, sframe.WrongContext},
		{"an unannounced track", a, camA, "CCCCCCCCCCCCCCCCCCCCCA", false, sframe.NoKey},
	} {
		sealed := c.by.close(c.track, sframe.Opus, frame)
		before := hearer.verdicts()[c.counting.String()]
		plain, ok, _ := hearer.open(came(c.shown, sealed), time.Now())
		if ok != c.opens || ok && !bytes.Equal(plain, frame) {
			t.Errorf("%s: opened %v", c.name, ok)
		}
		if hearer.verdicts()[c.counting.String()] != before+1 {
			t.Errorf("%s: %v, want %v", c.name, hearer.verdicts(), c.counting)
		}
		if ok { // the node hands it out again
			if _, again, _ := hearer.open(came(c.shown, sealed), time.Now()); again {
				t.Errorf("%s: opened twice", c.name)
			}
		}
	}
}

// Who was removed keeps the keys of the epoch that ended, and they open nothing that is sent after. Its frames open with nobody once
// the old keys have run out.
func TestRemovedMemberOpensNothingNew(t *testing.T) {
	speaker, removed := member(t, 1, 5, 7), member(t, 2, 5, 7)
	const track = "AAAAAAAAAAAAAAAAAAAAAA"
	removed.announce(map[string]announced{track: {leaf: 1, context: sframe.TrackContext(track), codec: sframe.Opus, known: true}})
	if _, ok, _ := removed.open(came(track, speaker.close(track, sframe.Opus, []byte("before"))), time.Now()); !ok {
		t.Fatal("a member does not hear")
	}
	speaker.install(6, 1, base(t, 8), time.Now())
	if err := speaker.sendNewest(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if plain, ok, _ := removed.open(came(track, speaker.close(track, sframe.Opus, []byte("after"))), time.Now()); ok {
			t.Fatalf("a removed member opened %q", plain)
		}
	}
	const own = "BBBBBBBBBBBBBBBBBBBBBA"
	speaker.announce(map[string]announced{own: {leaf: 2, context: sframe.TrackContext(own), codec: sframe.Opus, known: true}})
	late := time.Now().Add(sframe.OldKeyLife + time.Second)
	if _, ok, _ := speaker.open(came(own, removed.close(own, sframe.Opus, []byte("still here"))), late); ok {
		t.Error("a removed member is heard after the old keys have run out")
	}
}

// The session stands still: nothing leaves.
func TestSuspendedSendsNothing(t *testing.T) {
	s := member(t, 1, 5, 7)
	s.stop()
	if b := s.close("AAAAAAAAAAAAAAAAAAAAAA", sframe.Opus, []byte("x")); b != nil {
		t.Error("a frame left while the session stood still")
	}
}

func came(track string, payload []byte) rtc.Frame {
	return rtc.Frame{Track: track, Payload: payload, Whole: time.Now()}
}

// A slow member meets frames of an epoch whose key it has not worked out yet. None is lost, none is held for ever.
func TestFramesWaitForTheirKey(t *testing.T) {
	speaker, slow := member(t, 1, 5, 7), member(t, 2, 5, 7)
	const track = "AAAAAAAAAAAAAAAAAAAAAA"
	slow.announce(map[string]announced{track: {leaf: 1, context: sframe.TrackContext(track), codec: sframe.Opus, known: true}})
	now := time.Now()
	speaker.install(6, 1, base(t, 8), now)
	if err := speaker.sendNewest(); err != nil {
		t.Fatal(err)
	}
	for i, at := range []time.Time{now.Add(-2 * holdFor), now, now} {
		if _, ok, held := slow.open(came(track, speaker.close(track, sframe.Opus, []byte{byte(i)})), at); ok || !held {
			t.Fatalf("frame %d: opened %v, held %v", i, ok, held)
		}
	}
	held := slow.install(6, 2, base(t, 8), now.Add(time.Second))
	if len(held) != 2 { // the first waited too long
		t.Fatalf("%d frames came back, want 2", len(held))
	}
	for i, f := range held {
		if plain, ok, _ := slow.open(f, now); !ok || plain[0] != byte(i+1) {
			t.Errorf("frame %d: %v %v", i, plain, ok)
		}
	}
	for range 3 * maxHeld {
		speaker.install(7, 1, base(t, 9), now)
		_ = speaker.sendNewest()
		slow.open(came(track, speaker.close(track, sframe.Opus, []byte("more"))), now)
	}
	if len(slow.held) > maxHeld {
		t.Errorf("%d frames held", len(slow.held))
	}
}
