package descriptor

import (
	"encoding/hex"
	"errors"
	"reflect"
	"slices"
	"testing"
)

func indications(s string) (in []Indication) {
	for _, c := range s {
		in = append(in, Indication(map[rune]int{'-': 0, 'D': 1, 'S': 2, 'R': 3}[c]))
	}
	return in
}

func template(spatial, temporal uint8, in string, chains []uint16, differences ...uint16) Template {
	return Template{Layer: Layer{spatial, temporal}, Indications: indications(in), Differences: differences, Chains: chains}
}

// threeByThree is three sizes at three rates, where larger pictures are made from smaller ones (L3T3).
func threeByThree() *Structure {
	s := &Structure{
		Offset: 61, Targets: make([]Layer, 9), ProtectedBy: []uint8{0, 0, 0, 1, 1, 1, 2, 2, 2}, Chains: 3,
		Resolutions: []Resolution{{320, 180}, {640, 360}, {1280, 720}},
		Templates: []Template{
			template(0, 0, "SSSSSSSSS", []uint16{0, 0, 0}),
			template(0, 0, "SSSRRRRRR", []uint16{12, 11, 10}, 12),
			template(0, 1, "-DS-RR-RR", []uint16{6, 5, 4}, 6),
			template(0, 2, "--D--R--R", []uint16{3, 2, 1}, 3),
			template(1, 0, "---SSSSSS", []uint16{1, 1, 1}, 1),
			template(1, 0, "---SSSRRR", []uint16{1, 1, 1}, 12, 1),
			template(1, 1, "----DS-RR", []uint16{7, 6, 5}, 6, 1),
			template(1, 2, "-----D--R", []uint16{4, 3, 2}, 3, 1),
			template(2, 0, "------SSS", []uint16{2, 1, 1}, 1),
			template(2, 0, "------SSS", []uint16{2, 1, 1}, 12, 1),
			template(2, 1, "-------DS", []uint16{8, 7, 6}, 6, 1),
			template(2, 2, "--------D", []uint16{5, 4, 3}, 3, 1),
		},
	}
	s.layers()
	return s
}

func of(s *Structure, template int) Descriptor {
	t := &s.Templates[template]
	return Descriptor{
		First: true, Frame: 65535, Template: (s.Offset + uint8(template)) % MaxTemplates, Layer: t.Layer, Indications: t.Indications,
		Differences: t.Differences, Chains: t.Chains,
	}
}

// public is what of a descriptor is told, without its stores.
func public(d Descriptor) Descriptor {
	d.ownDifferences, d.ownIndications, d.ownChains = nil, [MaxTargets]Indication{}, [MaxTargets]uint16{}
	return d
}

func TestThreeBytesAreEnoughForMostPackets(t *testing.T) {
	s := threeByThree()
	for i := range s.Templates {
		want := of(s, i)
		b, err := Append(nil, &want, s)
		if err != nil || len(b) != 3 {
			t.Fatalf("template %d: %x %v", i, b, err)
		}
		var got Descriptor
		if err := Parse(b, s, &got); err != nil || !reflect.DeepEqual(public(got), public(want)) {
			t.Fatalf("template %d: %+v, want %+v: %v", i, got, want, err)
		}
	}
	b := []byte{0x80 | s.Offset, 0, 1}
	var d Descriptor
	if n := testing.AllocsPerRun(100, func() { _ = Parse(b, s, &d) }); n != 0 {
		t.Errorf("%v allocations for one packet", n)
	}
}

func TestAStructureComesWithTheKeyFrame(t *testing.T) {
	s := threeByThree()
	want := of(s, 0)
	want.Attached, want.Active, want.HasActive = s, 0b111, true
	b, err := Append(nil, &want, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got Descriptor
	if err := Parse(b, nil, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(public(got), public(want)) {
		t.Fatalf("%+v\nwant %+v", got, want)
	}
	if got.Attached.Top() != (Layer{2, 2}) {
		t.Fatalf("%+v", got)
	}
	for i, l := range got.Attached.Targets {
		if l != (Layer{uint8(i / 3), uint8(i % 3)}) {
			t.Fatalf("target %d: %v", i, l)
		}
	}
}

func TestAFrameMayDifferFromItsTemplate(t *testing.T) {
	s := threeByThree()
	want := of(s, 5)
	want.Indications = indications("---RRRDDD")
	want.Differences = []uint16{1, 16, 17, 256, 257, 4096}
	want.Chains = []uint16{0, 255, 16}
	b, err := Append([]byte{9}, &want, s)
	if err != nil || b[0] != 9 {
		t.Fatal(err)
	}
	var got Descriptor
	if err := Parse(b[1:], s, &got); err != nil || !reflect.DeepEqual(public(got), public(want)) {
		t.Fatalf("%+v\nwant %+v: %v", got, want, err)
	}
	// The next packet reads its template again.
	if err := Parse([]byte{s.Offset, 0, 1}, s, &got); err != nil || !slices.Equal(got.Indications, s.Templates[0].Indications) {
		t.Fatalf("%+v %v", got, err)
	}
}

// What Chromium 156 sends at 640x360, VP9 in two sizes at three rates (L2T3): at first one size is active, then both are.
func TestWhatABrowserSends(t *testing.T) {
	var s *Structure
	for _, c := range []struct {
		hex         string
		frame       uint16
		layer       Layer
		in          string
		differences []uint16
		active      uint32
	}{
		{"c10003c00514853abfaaa18f04304302a02a006001001b934515e082704608c0c787004321651111543276809f8059813f80b38e", 3, Layer{0, 0}, "SSSSSS", nil, 0b111},
		{"c300045fe8002020", 4, Layer{0, 2}, "--D--R", []uint16{1}, 0b111111},
		{"c200055fe8804040", 5, Layer{0, 1}, "-DS-RR", []uint16{2}, 0b111111},
		{"c60008", 8, Layer{1, 0}, "---SSS", []uint16{1}, 0},
		{"c8000a", 10, Layer{1, 2}, "-----D", []uint16{2, 1}, 0},
		{"850010", 16, Layer{1, 0}, "---SSS", []uint16{8, 1}, 0},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		var d Descriptor
		if err := Parse(b, s, &d); err != nil {
			t.Fatalf("%s: %v", c.hex, err)
		}
		if d.Attached != nil {
			s = d.Attached
		}
		if d.Frame != c.frame || d.Layer != c.layer || !slices.Equal(d.Indications, indications(c.in)) || !slices.Equal(d.Differences, c.differences) ||
			d.Active != c.active || d.HasActive != (c.active != 0) {
			t.Errorf("%s: %+v", c.hex, d)
		}
		again, err := Append(nil, &d, s)
		if err != nil || len(again) > len(b) {
			t.Errorf("%s written as %x: %v", c.hex, again, err)
		}
	}
	if want := []Layer{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}}; !slices.Equal(s.Targets, want) {
		t.Errorf("targets %v", s.Targets)
	}
	if want := []Resolution{{320, 180}, {640, 360}}; !slices.Equal(s.Resolutions, want) {
		t.Errorf("sizes %v", s.Resolutions)
	}
}

func TestWhatIsRefused(t *testing.T) {
	s := threeByThree()
	key := of(s, 0)
	key.Attached = s
	whole, _ := Append(nil, &key, nil)
	var d Descriptor
	for n := range whole {
		if err := Parse(whole[:n], nil, &d); err == nil {
			t.Errorf("read from %d of %d bytes", n, len(whole))
		}
	}
	unknown := []byte{s.Offset - 1, 0, 0}
	if err := Parse(unknown, s, &d); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := Parse([]byte{s.Offset, 0, 0}, nil, &d); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := Parse(make([]byte, MaxSize+1), s, &d); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	bad := threeByThree()
	bad.Templates[3].Layer.Temporal = 5 // no step of the format leads there
	key = of(bad, 0)
	key.Attached = bad
	if _, err := Append(nil, &key, nil); !errors.Is(err, ErrUnwritten) {
		t.Error(err)
	}
	far := of(s, 1)
	far.Differences = []uint16{4097}
	if b, err := Append([]byte{1}, &far, s); !errors.Is(err, ErrUnwritten) || len(b) != 1 {
		t.Error(b, err)
	}
}

func TestTargets(t *testing.T) {
	s := threeByThree()
	for _, c := range []struct {
		want   Layer
		target int
	}{{Layer{0, 0}, 0}, {Layer{0, 7}, 2}, {Layer{1, 1}, 4}, {Layer{9, 9}, 8}} {
		if got := s.Target(c.want, ^uint32(0)); got != c.target {
			t.Errorf("%v: %d, want %d", c.want, got, c.target)
		}
	}
	if got := s.Target(Layer{2, 2}, 0b000111000); got != 5 {
		t.Errorf("of what is sent: %d", got)
	}
	if got := s.Target(Layer{0, 2}, 0b111000000); got != -1 {
		t.Errorf("nothing small is sent: %d", got)
	}
	if !s.Contains(8, 0) || s.Contains(0, 8) || !s.Contains(4, 1) || s.Contains(4, 2) {
		t.Error("contains")
	}
}

// Whatever is read can be written, and reads the same again; nothing read is without bounds.
func FuzzParse(f *testing.F) {
	s := threeByThree()
	key := of(s, 0)
	key.Attached = s
	seed, _ := Append(nil, &key, nil)
	f.Add(seed)
	odd := of(s, 5)
	odd.Indications, odd.Differences, odd.Chains = indications("---RRRDDD"), []uint16{1, 4096}, []uint16{0, 255, 16}
	seed, _ = Append(nil, &odd, s)
	f.Add(seed)
	f.Add([]byte{0xc0 | 61, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, known := range []*Structure{nil, s} {
			var d, again Descriptor
			if Parse(b, known, &d) != nil {
				continue
			}
			st := known
			if d.Attached != nil {
				st = d.Attached
			}
			if len(st.Templates) > MaxTemplates || len(st.Targets) > MaxTargets || d.Spatial > MaxSpatial || d.Temporal > MaxTemporal {
				t.Fatalf("out of bounds: %+v", d)
			}
			out, err := Append(nil, &d, known)
			if err != nil {
				t.Fatalf("%x cannot be written: %v", b, err)
			}
			if err := Parse(out, known, &again); err != nil || !reflect.DeepEqual(normal(d), normal(again)) {
				t.Fatalf("%x → %x: %+v, %+v: %v", b, out, d, again, err)
			}
		}
	})
}

// normal makes empty and missing lists the same.
func normal(d Descriptor) Descriptor {
	d = public(d)
	if len(d.Differences) == 0 {
		d.Differences = nil
	}
	if len(d.Chains) == 0 {
		d.Chains = nil
	}
	return d
}
