package synth

import (
	"errors"
	"image"
	"image/color"
	"math"
	"testing"
	"time"
)

func TestPicturesReadBack(t *testing.T) {
	total := 0
	for _, person := range []int{0, 1, 5, 9, 65535} {
		v := NewVideo(person, "AB", 15)
		for _, counter := range []int{0, 1, 31, 59} {
			b, err := v.Frame(counter)
			if err != nil {
				t.Fatal(err)
			}
			total += len(b)
			r, err := ReadPicture(b)
			if err != nil {
				t.Fatalf("person %d frame %d: %v (%+v)", person, counter, err, r)
			}
			if r.Person != person || r.Counter != counter || !Near(r.Colour, Colour(person)) || r.Width != Width || r.Height != Height {
				t.Fatalf("person %d frame %d: %+v, colour %v", person, counter, r, Colour(person))
			}
		}
	}
	t.Logf("%d bytes a frame", total/20)
}

func TestColoursDiffer(t *testing.T) {
	for a := range 12 {
		for b := range a {
			if Near(Colour(a), Colour(b)) {
				t.Errorf("%d and %d: %v %v", a, b, Colour(a), Colour(b))
			}
		}
	}
}

func TestAge(t *testing.T) {
	v := NewVideo(1, "A", 15)
	now := time.UnixMilli(1_900_000_000_123)
	for _, late := range []time.Duration{0, 70, 150, 900, 3000} {
		got := v.Age(v.Counter(now.Add(-late*time.Millisecond)), now)
		if d := got - late*time.Millisecond; d < 0 || d > v.Interval()+time.Millisecond {
			t.Errorf("late %v: %v", late, got)
		}
	}
}

func TestPictureOfACameraHasNoStrip(t *testing.T) {
	b, err := encodePlain(color.RGBA{32, 192, 63, 255})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ReadPicture(b)
	if !errors.Is(err, ErrNoStrip) || !Near(r.Colour, color.RGBA{32, 192, 63, 255}) {
		t.Fatal(r, err)
	}
	if _, err := ReadPicture([]byte{1, 2, 3}); !errors.Is(err, ErrNotKeyFrame) {
		t.Fatal(err)
	}
}

func TestTonesAreHeard(t *testing.T) {
	for _, n := range []int{0, 1, 4, 9} {
		tone, err := NewTone(ToneOf(n))
		if err != nil {
			t.Fatal(err)
		}
		e, err := NewEar()
		if err != nil {
			t.Fatal(err)
		}
		if e.Hears(tone.Hz) {
			t.Fatal("heard before it sounded")
		}
		for i := range uint64(120) { // over the seam of the loop
			if len(tone.Frame(i)) != len(tone.Frame(0)) {
				t.Fatalf("frame %d has %d bytes, not %d", i, len(tone.Frame(i)), len(tone.Frame(0)))
			}
			if err := e.Hear(tone.Frame(i)); err != nil {
				t.Fatal(err)
			}
			if i < 15 {
				continue
			}
			for k := range 12 {
				if got := e.Hears(ToneOf(k)); got != (k == n) {
					t.Fatalf("person %d frame %d: tone of %d heard: %v", n, i, k, got)
				}
			}
		}
		if l := Level(e.ring, tone.Hz); math.Abs(l+12) > 2 {
			t.Errorf("level %v dB", l)
		}
	}
}

func TestSilence(t *testing.T) {
	tone, err := NewTone(0)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := NewEar()
	for i := range uint64(60) {
		if err := e.Hear(tone.Frame(i)); err != nil {
			t.Fatal(err)
		}
	}
	for k := range 20 {
		if e.Hears(ToneOf(k)) {
			t.Fatalf("heard %d in silence", k)
		}
	}
	if loud, _ := NewTone(1000); len(loud.Frame(3)) != len(tone.Frame(3)) {
		t.Fatal("silence shows in the packet size")
	}
}

func FuzzReadPicture(f *testing.F) {
	b, err := NewVideo(3, "X", 10).Frame(7)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:200])
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = ReadPicture(b) })
}

func FuzzVP8Chunk(f *testing.F) {
	f.Add([]byte("RIFF\x10\x00\x00\x00WEBPVP8 \x04\x00\x00\x00abcd"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = vp8Chunk(b) })
}

func FuzzHear(f *testing.F) {
	tone, err := NewTone(1000)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tone.Frame(0))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := NewEar()
		if err != nil {
			t.Fatal(err)
		}
		_ = e.Hear(b)
		_ = e.Hear(tone.Frame(1))
	})
}

func BenchmarkEncodeFrame(b *testing.B) {
	for b.Loop() {
		if _, err := encodeVP8(1, 7, "AB"); err != nil {
			b.Fatal(err)
		}
	}
}

func encodePlain(c color.RGBA) ([]byte, error) {
	m := image.NewNRGBA(image.Rect(0, 0, 160, 90))
	for y := range 90 {
		for x := range 160 {
			m.Set(x, y, c)
		}
	}
	return encodeImage(m)
}
