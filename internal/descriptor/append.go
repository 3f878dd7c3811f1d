package descriptor

import "slices"

// writer writes a bit string.
type writer struct {
	b    []byte
	free int // bits of the last byte that are not written yet
}

func (w *writer) put(n int, x uint32) {
	for n > 0 {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		k := min(n, w.free)
		w.b[len(w.b)-1] |= byte(x >> (n - k) & (1<<k - 1) << (w.free - k))
		n, w.free = n-k, w.free-k
	}
}

func (w *writer) flag(on bool) {
	if on {
		w.put(1, 1)
	} else {
		w.put(1, 0)
	}
}

func (w *writer) nonSymmetric(n, v uint32) {
	width, m := widthOf(n)
	if v < m {
		w.put(width-1, v)
	} else {
		w.put(width, v+m)
	}
}

// Append writes d to dst. s is the stream's structure; d.Attached takes its place where it is set. What differs from d's template is
// written out. What the format has no place for is ErrUnwritten.
func Append(dst []byte, d *Descriptor, s *Structure) ([]byte, error) {
	if d.Attached != nil {
		s = d.Attached
	}
	if s == nil {
		return dst, ErrUnwritten
	}
	t := s.template(d.Template)
	if t == nil || d.Template >= MaxTemplates || d.Layer != t.Layer || len(d.Indications) != len(s.Targets) || len(d.Chains) != s.Chains {
		return dst, ErrUnwritten
	}
	start := len(dst)
	w := writer{b: dst}
	w.flag(d.First)
	w.flag(d.Last)
	w.put(6, uint32(d.Template))
	w.put(16, uint32(d.Frame))
	ownIndications := !slices.Equal(d.Indications, t.Indications)
	ownDifferences := !slices.Equal(d.Differences, t.Differences)
	ownChains := !slices.Equal(d.Chains, t.Chains)
	if d.Attached == nil && !d.HasActive && !ownIndications && !ownDifferences && !ownChains {
		return w.b, nil
	}
	w.flag(d.Attached != nil)
	w.flag(d.HasActive)
	w.flag(ownIndications)
	w.flag(ownDifferences)
	w.flag(ownChains)
	ok := true
	if d.Attached != nil {
		ok = w.structure(s)
	}
	if d.HasActive {
		w.put(len(s.Targets), d.Active)
	}
	if ownIndications {
		for _, in := range d.Indications {
			w.put(2, uint32(in))
		}
	}
	if ownDifferences {
		for _, x := range d.Differences {
			size := 1
			for size < 3 && x-1 >= 1<<(4*size) {
				size++
			}
			ok = ok && x > 0 && x <= 1<<12
			w.put(2, uint32(size))
			w.put(4*size, uint32(x-1))
		}
		w.put(2, 0)
	}
	if ownChains {
		for _, x := range d.Chains {
			ok = ok && x < 1<<8
			w.put(8, uint32(x))
		}
	}
	if !ok || len(w.b)-start > MaxSize {
		return dst, ErrUnwritten
	}
	return w.b, nil
}

func (w *writer) structure(s *Structure) (ok bool) {
	n, targets := len(s.Templates), len(s.Targets)
	if n == 0 || n > MaxTemplates || s.Offset >= MaxTemplates || targets == 0 || targets > MaxTargets || s.Chains > targets ||
		s.Templates[0].Layer != (Layer{}) || s.Chains > 0 && len(s.ProtectedBy) != targets {
		return false
	}
	w.put(6, uint32(s.Offset))
	w.put(5, uint32(targets-1))
	for i := 1; i < n; i++ {
		switch from, to := s.Templates[i-1].Layer, s.Templates[i].Layer; to {
		case from:
			w.put(2, 0)
		case Layer{from.Spatial, from.Temporal + 1}:
			w.put(2, 1)
		case Layer{from.Spatial + 1, 0}:
			w.put(2, 2)
		default:
			return false
		}
	}
	w.put(2, 3)
	for i := range s.Templates {
		if len(s.Templates[i].Indications) != targets || len(s.Templates[i].Chains) != s.Chains {
			return false
		}
		for _, in := range s.Templates[i].Indications {
			w.put(2, uint32(in))
		}
	}
	for i := range s.Templates {
		for _, x := range s.Templates[i].Differences {
			if x == 0 || x > 16 {
				return false
			}
			w.put(1, 1)
			w.put(4, uint32(x-1))
		}
		w.put(1, 0)
	}
	return w.chains(s) && w.resolutions(s)
}

func (w *writer) chains(s *Structure) bool {
	w.nonSymmetric(uint32(len(s.Targets))+1, uint32(s.Chains))
	if s.Chains == 0 {
		return true
	}
	for _, c := range s.ProtectedBy {
		if int(c) >= s.Chains {
			return false
		}
		w.nonSymmetric(uint32(s.Chains), uint32(c))
	}
	for i := range s.Templates {
		for _, x := range s.Templates[i].Chains {
			if x > 15 {
				return false
			}
			w.put(4, uint32(x))
		}
	}
	return true
}

func (w *writer) resolutions(s *Structure) bool {
	w.flag(len(s.Resolutions) > 0)
	if len(s.Resolutions) == 0 {
		return true
	}
	if len(s.Resolutions) != int(s.Templates[len(s.Templates)-1].Spatial)+1 {
		return false
	}
	for _, r := range s.Resolutions {
		if r.Width-1 > 0xffff || r.Height-1 > 0xffff {
			return false
		}
		w.put(16, r.Width-1)
		w.put(16, r.Height-1)
	}
	return true
}
