package forward

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"parley.link/parley/internal/descriptor"
)

func indications(s string) (in []descriptor.Indication) {
	for _, c := range s {
		in = append(in, descriptor.Indication(map[rune]int{'-': 0, 'D': 1, 'S': 2, 'R': 3}[c]))
	}
	return in
}

func template(spatial, temporal uint8, in string, differences ...uint16) descriptor.Template {
	return descriptor.Template{
		Layer: descriptor.Layer{Spatial: spatial, Temporal: temporal}, Indications: indications(in), Differences: differences,
	}
}

// Three sizes at three rates: where larger pictures are made from the smaller of the same moment (L3T3), and where they are only in
// a key frame (L3T3_KEY).
var (
	building = []descriptor.Template{
		template(0, 0, "SSSSSSSSS"), template(0, 0, "SSSRRRRRR", 12), template(0, 1, "-DS-RR-RR", 6), template(0, 2, "--D--R--R", 3),
		template(1, 0, "---SSSSSS", 1), template(1, 0, "---SSSRRR", 12, 1), template(1, 1, "----DS-RR", 6, 1), template(1, 2, "-----D--R", 3, 1),
		template(2, 0, "------SSS", 1), template(2, 0, "------SSS", 12, 1), template(2, 1, "-------DS", 6, 1), template(2, 2, "--------D", 3, 1),
	}
	apart = []descriptor.Template{
		template(0, 0, "SSSSSSSSS"), template(0, 0, "SSS------", 12), template(0, 1, "-DS------", 6), template(0, 2, "--D------", 3),
		template(1, 0, "---SSSSSS", 1), template(1, 0, "---SSS---", 12), template(1, 1, "----DS---", 6), template(1, 2, "-----D---", 3),
		template(2, 0, "------SSS", 1), template(2, 0, "------SSS", 12), template(2, 1, "-------DS", 6), template(2, 2, "--------D", 3),
	}
)

// camera makes the packets of a layered source.
type camera struct {
	t         testing.TB
	templates []descriptor.Template
	offset    uint8
	seq       uint16
	frame     uint16
	moment    uint32
	step      int // in the cycle of four pictures
	structure *descriptor.Structure
	rand      *rand.Rand
}

func newCamera(t testing.TB, templates []descriptor.Template, seed uint64) *camera {
	r := rand.New(rand.NewPCG(seed, 1))
	return &camera{t: t, templates: templates, seq: uint16(r.Uint32()), frame: uint16(r.Uint32()), rand: r, offset: 10}
}

// picture makes the packets of one moment, largest size last.
func (c *camera) picture(key bool) (all []Packet) {
	if key {
		c.step = 0
		c.structure = &descriptor.Structure{Offset: c.offset, Templates: c.templates, Targets: make([]descriptor.Layer, 9)}
	}
	c.moment += 6000
	for spatial := range 3 {
		template := spatial*4 + []int{1, 3, 2, 3}[c.step%4]
		if key {
			template = spatial * 4
		}
		t := &c.templates[template]
		packets := 1 + c.rand.IntN(3)
		for i := range packets {
			d := descriptor.Descriptor{
				First: i == 0, Last: i == packets-1, Frame: c.frame, Template: c.offset + uint8(template), Layer: t.Layer,
				Indications: t.Indications, Differences: t.Differences,
			}
			if key && spatial == 0 && i == 0 {
				d.Attached = c.structure
			}
			b, err := descriptor.Append(nil, &d, c.structure)
			if err != nil {
				c.t.Fatal(err)
			}
			body := binary.BigEndian.AppendUint16([]byte{0x80, byte(spatial)}, c.seq)
			all = append(all, Packet{
				SSRC: 1, PayloadType: 98, Sequence: c.seq, Timestamp: c.moment, Marker: spatial == 2 && d.Last, Descriptor: b, Payload: body,
			})
			c.seq++
		}
		c.frame++
	}
	c.step++
	return all
}

// viewer is a sink that decodes: it knows which frames it can show.
type viewer struct {
	t         testing.TB
	got       []Packet
	again     []Packet
	structure *descriptor.Structure
	seen      map[uint16]bool // frame numbers it was sent
	sizes     map[uint32]int  // moment → largest layer
	rates     map[uint32]int  // moment → temporal layer
	marked    map[uint32]int
	numbers   map[uint16]bool
	broken    int // frames that refer to what it was not sent
	begun     bool
}

func newViewer(t testing.TB) *viewer {
	return &viewer{
		t: t, seen: map[uint16]bool{}, sizes: map[uint32]int{}, rates: map[uint32]int{}, marked: map[uint32]int{}, numbers: map[uint16]bool{},
	}
}

func (v *viewer) WriteRTP(_ time.Time, p *Packet) error {
	q := *p
	q.Payload, q.Descriptor = bytes.Clone(p.Payload), bytes.Clone(p.Descriptor)
	if p.Again {
		v.again = append(v.again, q)
		return nil
	}
	if v.numbers[p.Sequence] {
		v.t.Fatalf("number %d twice", p.Sequence)
	}
	v.numbers[p.Sequence] = true
	v.got = append(v.got, q)
	if len(p.Payload) == 0 {
		return nil
	}
	var d descriptor.Descriptor
	if descriptor.Parse(p.Descriptor, v.structure, &d) != nil {
		return nil
	}
	if d.Attached != nil {
		v.structure, v.begun = d.Attached, true
	}
	for _, back := range d.Differences {
		if v.begun && !v.seen[d.Frame-back] {
			v.broken++
		}
	}
	v.seen[d.Frame] = true
	v.sizes[p.Timestamp] = max(v.sizes[p.Timestamp], int(d.Spatial))
	v.rates[p.Timestamp] = int(d.Temporal)
	if p.Marker {
		v.marked[p.Timestamp]++
	}
	return nil
}

func layer(spatial, temporal uint8) descriptor.Layer {
	return descriptor.Layer{Spatial: spatial, Temporal: temporal}
}

// feed writes a whole picture and tells its moment.
func feed(u *UpTrack, packets []Packet) uint32 {
	for i := range packets {
		u.Write(t0, &packets[i])
	}
	return packets[0].Timestamp
}

func svc(t testing.TB, templates []descriptor.Template, seed uint64) (*camera, *UpTrack, *viewer, *DownTrack, *int) {
	asks := new(int)
	u := NewUpTrack("cam", Video, Codec{MimeType: "video/VP9", ClockRate: 90000}, func() { *asks++ })
	v := newViewer(t)
	d, err := u.Subscribe(t0, Outgoing{SSRC: 7, PayloadType: 98, RTXSSRC: 8, RTXPayloadType: 99, First: uint16(seed)}, NewBudget(), v)
	if err != nil {
		t.Fatal(err)
	}
	return newCamera(t, templates, seed), u, v, d, asks
}

// checkStream: without loss on the way in there is no hole in the numbers, nothing refers to what was not sent, and every picture that was
// sent ends with one marker.
func (v *viewer) check(first uint16) {
	v.t.Helper()
	for i, p := range v.got {
		if p.Sequence != first+uint16(i) {
			v.t.Fatalf("packet %d has number %d, want %d", i, p.Sequence, first+uint16(i))
		}
	}
	if v.broken > 0 {
		v.t.Fatalf("%d references to frames that were not sent", v.broken)
	}
	for moment := range v.sizes {
		if v.marked[moment] != 1 {
			v.t.Fatalf("picture of %d has %d markers", moment, v.marked[moment])
		}
	}
}

func TestLayersFollowTheWish(t *testing.T) {
	for seed := range uint64(30) {
		c, u, v, d, asks := svc(t, building, seed)
		d.SetLayers(t0, layer(1, 1))
		feed(u, c.picture(true))
		for range 40 {
			at := feed(u, c.picture(false))
			if v.sizes[at] > 1 || v.rates[at] > 1 {
				t.Fatalf("size %d, rate %d", v.sizes[at], v.rates[at])
			}
		}
		shown := len(v.sizes)
		if shown < 20 {
			t.Fatalf("%d pictures of 41 at half the rate", shown)
		}
		*asks = 0
		d.SetLayers(t0.Add(10*time.Second), layer(0, 0)) // down at once, without a key frame
		if at := feed(u, c.picture(false)); v.sizes[at] > 0 {
			t.Fatal("not down at once")
		}
		for range 12 {
			if at := feed(u, c.picture(false)); v.sizes[at] > 0 || v.rates[at] > 0 {
				t.Fatal("not down")
			}
		}
		d.SetLayers(t0.Add(20*time.Second), layer(0, 2)) // up in rate, without a key frame
		if *asks != 0 {
			t.Fatal("asked for a key frame where none is needed")
		}
		before := len(v.sizes)
		for range 16 {
			feed(u, c.picture(false))
		}
		if got := len(v.sizes) - before; got < 12 {
			t.Fatalf("%d pictures of 16 after the rate went up", got)
		}
		d.SetLayers(t0.Add(30*time.Second), layer(2, 2)) // up in size, only with a key frame
		if *asks != 1 {
			t.Fatalf("%d key frames asked for", *asks)
		}
		for range 9 {
			if at := feed(u, c.picture(false)); v.sizes[at] != 0 {
				t.Fatal("up without a key frame")
			}
		}
		if at := feed(u, c.picture(true)); v.sizes[at] != 2 {
			t.Fatal("not up at the key frame")
		}
		for range 9 {
			if at := feed(u, c.picture(false)); v.sizes[at] != 2 {
				t.Fatal("not up")
			}
		}
		d.SetLayers(t0.Add(40*time.Second), layer(2, 0))
		for range 9 {
			feed(u, c.picture(false))
		}
		*asks, before = 0, len(v.sizes)
		d.SetLayers(t0.Add(50*time.Second), layer(0, 2)) // smaller and faster at once: in two steps, without a key frame
		for range 16 {
			if at := feed(u, c.picture(false)); v.sizes[at] != 0 {
				t.Fatal("not smaller")
			}
		}
		if got := len(v.sizes) - before; got < 10 || *asks != 0 {
			t.Fatalf("%d pictures of 16, %d key frames asked for", got, *asks)
		}
		v.check(uint16(seed))
	}
}

func TestSizesMadeApartChangeWithKeyFrames(t *testing.T) {
	for seed := range uint64(30) {
		c, u, v, d, asks := svc(t, apart, seed)
		d.SetLayers(t0, layer(2, 2))
		feed(u, c.picture(true))
		for range 9 {
			feed(u, c.picture(false))
		}
		*asks = 0
		d.SetLayers(t0.Add(10*time.Second), layer(0, 0))
		if *asks != 1 {
			t.Fatalf("%d key frames asked for", *asks)
		}
		for range 12 {
			if at := feed(u, c.picture(false)); v.rates[at] != 0 {
				t.Fatal("the rate did not fall at once")
			}
		}
		if at := feed(u, c.picture(true)); v.sizes[at] != 0 {
			t.Fatal("not down at the key frame")
		}
		for range 9 {
			if at := feed(u, c.picture(false)); v.sizes[at] != 0 {
				t.Fatal("not down")
			}
		}
		v.check(uint16(seed))
	}
}

// A receiver that got everything goes on without waiting for anything when it is first given layers.
func TestLayersForOneWhoGotEverything(t *testing.T) {
	c, u, v, d, _ := svc(t, building, 5)
	feed(u, c.picture(true))
	for range 7 {
		feed(u, c.picture(false))
	}
	d.SetLayers(t0, layer(1, 2))
	for range 8 {
		if at := feed(u, c.picture(false)); v.sizes[at] != 1 {
			t.Fatalf("size %d", v.sizes[at])
		}
	}
	if got, ok := d.Sending(); !ok || got != layer(1, 2) {
		t.Fatal(got, ok)
	}
	// What was sent before layers were chosen can still be had.
	seqs := []uint16{}
	for _, p := range v.got[:5] {
		seqs = append(seqs, p.Sequence)
	}
	d.HandleNACK(t0, seqs, 0)
	if len(v.again) != 5 {
		t.Fatalf("%d of 5 sent again", len(v.again))
	}
	v.check(5)
}

// Without descriptors, and with descriptors of which none brought a structure, everything goes through.
func TestNoLayersWithoutDescriptors(t *testing.T) {
	c, u, v, d, _ := svc(t, building, 3)
	d.SetLayers(t0, layer(0, 0))
	c.structure = &descriptor.Structure{Offset: c.offset, Templates: c.templates, Targets: make([]descriptor.Layer, 9)}
	n := 0
	for i := range 8 {
		packets := c.picture(false)
		if i%2 == 0 {
			for k := range packets {
				packets[k].Descriptor = nil
			}
		}
		n += len(packets)
		feed(u, packets)
	}
	if len(v.got) != n {
		t.Fatalf("%d of %d", len(v.got), n)
	}
}

// Chromium begins with the smallest size and adds the others when its path allows: it says so with the picture that has them for the first time,
// and needs no key frame for it. Who got everything until then gets that too.
func TestAnEncoderAddsASize(t *testing.T) {
	const recorded = "c10003c00514853abfaaa18f04304302a02a006001001b934515e082704608c0c787004321651111543276809f8059813f80b38e c300045fe8002020 " +
		"c200055fe8804040 c300065fe8006060 c000075fe9808080 c60008 c30009 c8000a c2000b c7000c c4000d c9000e c0000f"
	sizes := []uint8{0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0}
	for _, c := range []struct {
		want descriptor.Layer
		got  int
	}{{AllLayers, 13}, {layer(1, 2), 13}, {layer(0, 2), 9}, {layer(1, 1), 7}} {
		_, u, v, d, _ := svc(t, building, 3)
		d.SetLayers(t0, c.want)
		moment := uint32(0)
		for i, h := range strings.Fields(recorded) {
			b, err := hex.DecodeString(h)
			if err != nil {
				t.Fatal(err)
			}
			if sizes[i] == 0 {
				moment += 3000
			}
			u.Write(t0, &Packet{Sequence: uint16(i), Timestamp: moment, Descriptor: b, Payload: []byte{1}, Marker: i < 4 || sizes[i] == 1})
		}
		if len(v.got) != c.got || v.broken > 0 {
			t.Errorf("%v: %d packets of %d, %d broken", c.want, len(v.got), c.got, v.broken)
		}
	}
}

// Nobody asks a source forever for what it does not send.
func TestPatienceForALayerGrows(t *testing.T) {
	c, u, _, d, asks := svc(t, building, 3)
	d.SetLayers(t0, layer(0, 2))
	feed(u, c.picture(true))
	d.SetLayers(t0, layer(2, 2))
	*asks = 0
	now := t0
	for range 60 * 15 {
		now = now.Add(time.Second / 15)
		for _, p := range c.picture(false) {
			u.Write(now, &p)
		}
		u.Tick(now, 0, nil)
	}
	if *asks < 3 || *asks > 7 {
		t.Fatalf("asked %d times in a minute", *asks)
	}
}

func TestLayerRates(t *testing.T) {
	c, u, _, d, _ := svc(t, building, 3)
	d.SetLayers(t0, layer(0, 0))
	now := t0
	for i := range 60 {
		now = now.Add(time.Second / 15)
		for _, p := range c.picture(i == 0) {
			p.Payload = append(p.Payload, make([]byte, 996)...)
			u.Write(now, &p)
		}
	}
	rates := u.LayerRates(now, nil)
	if len(rates) != 9 {
		t.Fatalf("%+v", rates)
	}
	for _, a := range rates {
		for _, b := range rates {
			if a.Within(b.Layer) && a.Bits > b.Bits {
				t.Errorf("%+v costs more than %+v, which holds it", a, b)
			}
		}
	}
	// 45 frames a second of two packets on average, 1,000 bytes each.
	if top := rates[8].Bits; top < 500_000 || top > 1_000_000 {
		t.Errorf("all layers: %d bit/s", top)
	}
}

func TestWhatAnybodyWants(t *testing.T) {
	_, u, _, d, _ := svc(t, building, 3)
	other := subscribe(t, u, nowhere{}, 1)
	wants := func(want descriptor.Layer, some bool) {
		t.Helper()
		if got, ok := u.Wanted(); got != want || ok != some {
			t.Errorf("%v %v, want %v %v", got, ok, want, some)
		}
	}
	wants(AllLayers, true) // nobody said anything: everything
	other.SetLayers(t0, layer(0, 2))
	wants(AllLayers, true)
	d.SetLayers(t0, layer(1, 0))
	wants(layer(1, 2), true)
	d.SetPaused(t0, true)
	wants(layer(0, 2), true)
	other.Close()
	wants(layer(0, 0), false)
}

type nowhere struct{}

func (nowhere) WriteRTP(time.Time, *Packet) error { return nil }

func TestChoosingDoesNotAllocate(t *testing.T) {
	c := newCamera(t, building, 3)
	u := NewUpTrack("cam", Video, Codec{MimeType: "video/VP9", ClockRate: 90000}, func() {})
	for range 10 {
		d, err := u.Subscribe(t0, Outgoing{SSRC: 7, PayloadType: 98}, NewBudget(), nowhere{})
		if err != nil {
			t.Fatal(err)
		}
		d.SetLayers(t0, layer(1, 1))
	}
	var all []Packet
	for i := range 900 {
		all = append(all, c.picture(i == 0)...)
	}
	i := 0
	next := func() {
		u.Write(t0, &all[i])
		i++
	}
	for i < 2000 {
		next() // the ring goes round once, and makes its buffers
	}
	if n := testing.AllocsPerRun(1000, next); n > 0.1 {
		t.Errorf("%v allocations a packet", n)
	}
}
