package descriptor

// bits reads a bit string from the front. Beyond its end it reads zeros and remembers that.
type bits struct {
	b     []byte
	at    int
	short bool
}

func (r *bits) take(n int) uint32 {
	if r.at+n > 8*len(r.b) {
		r.short, r.at = true, 8*len(r.b)
		return 0
	}
	var x uint32
	for n > 0 {
		left := 8 - r.at%8
		k := min(n, left)
		x = x<<k | uint32(r.b[r.at/8])>>(left-k)&(1<<k-1)
		r.at, n = r.at+k, n-k
	}
	return x
}

func (r *bits) flag() bool { return r.take(1) == 1 }

// nonSymmetric reads ns(n) of A.4.1: one of n values.
func (r *bits) nonSymmetric(n uint32) uint32 {
	w, m := widthOf(n)
	v := r.take(w - 1)
	if v < m {
		return v
	}
	return v<<1 - m + r.take(1)
}

func widthOf(n uint32) (w int, m uint32) {
	for x := n; x != 0; x >>= 1 {
		w++
	}
	return w, 1<<w - n
}

// Parse reads one descriptor into d. known is the structure of the stream so far, nil before the first; what b attaches is in
// d.Attached afterwards, for the caller to keep. After an error d holds nothing of use. Three bytes, what most packets carry, are
// read without allocating.
func Parse(b []byte, known *Structure, d *Descriptor) error {
	if len(b) < 3 || len(b) > MaxSize {
		return ErrMalformed
	}
	d.First, d.Last, d.Template = b[0]&0x80 != 0, b[0]&0x40 != 0, b[0]&0x3f
	d.Frame = uint16(b[1])<<8 | uint16(b[2])
	d.Attached, d.Active, d.HasActive = nil, 0, false
	r := bits{b: b, at: 24}
	var ownIndications, ownDifferences, ownChains bool
	if len(b) > 3 {
		attached := r.flag()
		d.HasActive = r.flag()
		ownIndications, ownDifferences, ownChains = r.flag(), r.flag(), r.flag()
		if attached {
			s, err := r.structure()
			if err != nil {
				return err
			}
			d.Attached, known = s, s
		}
		if d.HasActive {
			if known == nil {
				return ErrUnknown
			}
			d.Active = r.take(len(known.Targets))
		}
	}
	if known == nil {
		return ErrUnknown
	}
	t := known.template(d.Template)
	if t == nil {
		return ErrUnknown
	}
	d.Layer, d.Indications, d.Differences, d.Chains = t.Layer, t.Indications, t.Differences, t.Chains
	if ownIndications {
		d.Indications = d.ownIndications[:len(known.Targets)]
		for i := range d.Indications {
			d.Indications[i] = Indication(r.take(2))
		}
	}
	if ownDifferences {
		d.ownDifferences = d.ownDifferences[:0]
		for size := r.take(2); size != 0; size = r.take(2) {
			d.ownDifferences = append(d.ownDifferences, uint16(r.take(4*int(size))+1))
		}
		d.Differences = d.ownDifferences
	}
	if ownChains {
		d.Chains = d.ownChains[:known.Chains]
		for i := range d.Chains {
			d.Chains[i] = uint16(r.take(8))
		}
	}
	if r.short {
		return ErrMalformed
	}
	return nil
}

func (r *bits) structure() (*Structure, error) {
	s := &Structure{Offset: uint8(r.take(6))}
	s.Targets = make([]Layer, r.take(5)+1)
	var l Layer
	for more := true; more; {
		if len(s.Templates) == MaxTemplates || l.Spatial > MaxSpatial || l.Temporal > MaxTemporal || r.short {
			return nil, ErrMalformed
		}
		s.Templates = append(s.Templates, Template{Layer: l})
		switch r.take(2) { // table A.2
		case 1:
			l.Temporal++
		case 2:
			l = Layer{Spatial: l.Spatial + 1}
		case 3:
			more = false
		}
	}
	if len(s.Templates)*len(s.Targets)*2 > 8*len(r.b)-r.at { // before anything is allocated for them
		return nil, ErrMalformed
	}
	for i := range s.Templates {
		in := make([]Indication, len(s.Targets))
		for k := range in {
			in[k] = Indication(r.take(2))
		}
		s.Templates[i].Indications = in
	}
	for i := range s.Templates {
		for r.flag() {
			s.Templates[i].Differences = append(s.Templates[i].Differences, uint16(r.take(4)+1))
		}
	}
	if s.Chains = int(r.nonSymmetric(uint32(len(s.Targets)) + 1)); s.Chains > 0 {
		s.ProtectedBy = make([]uint8, len(s.Targets))
		for i := range s.ProtectedBy {
			s.ProtectedBy[i] = uint8(r.nonSymmetric(uint32(s.Chains)))
		}
		for i := range s.Templates {
			chains := make([]uint16, s.Chains)
			for k := range chains {
				chains[k] = uint16(r.take(4))
			}
			s.Templates[i].Chains = chains
		}
	}
	if r.flag() {
		s.Resolutions = make([]Resolution, l.Spatial+1)
		for i := range s.Resolutions {
			s.Resolutions[i] = Resolution{Width: r.take(16) + 1, Height: r.take(16) + 1}
		}
	}
	if r.short {
		return nil, ErrMalformed
	}
	s.layers()
	return s, nil
}
