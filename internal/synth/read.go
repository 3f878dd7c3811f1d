package synth

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/vp8"
)

// Errors of ReadPicture.
var (
	ErrNotKeyFrame = errors.New("synth: only key frames can be read")
	ErrUnreadable  = errors.New("synth: not a picture that can be read")
	ErrNoStrip     = errors.New("synth: picture without a readable strip")
)

const maxPixels = 1920 * 1088

// Reading is what a picture shows.
type Reading struct {
	Width, Height int
	Colour        color.RGBA // in the middle of the left edge, away from strip and text
	Person        int        // of the strip
	Counter       int
}

// ReadPicture decodes a VP8 key frame and reads colour and strip. With ErrNoStrip the rest of the reading is valid: the picture of a
// real camera.
func ReadPicture(frame []byte) (Reading, error) {
	if len(frame) < 10 || frame[0]&1 != 0 {
		return Reading{}, ErrNotKeyFrame
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(frame), len(frame))
	h, err := d.DecodeFrameHeader()
	if err != nil {
		return Reading{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if h.Width*h.Height > maxPixels || h.Width < 2 || h.Height < 2 {
		return Reading{}, fmt.Errorf("%w: %d by %d pixels", ErrUnreadable, h.Width, h.Height)
	}
	m, err := d.DecodeFrame()
	if err != nil {
		return Reading{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	r := Reading{Width: h.Width, Height: h.Height, Colour: average(m, image.Rect(h.Width/40, h.Height*2/5, h.Width/8, h.Height*3/5))}
	var ok bool
	if r.Person, ok = readRow(m, 0, 0b10); !ok {
		return r, ErrNoStrip
	}
	if r.Counter, ok = readRow(m, 1, 0b01); !ok {
		return r, ErrNoStrip
	}
	return r, nil
}

// readRow works at any size: a sender may have scaled the picture.
func readRow(m *image.YCbCr, y, sync int) (value int, ok bool) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	pattern := 0
	for i := range cells {
		// the middle half of the cell
		x0, x1 := (4*i+1)*cell*w/Width/4, (4*i+3)*cell*w/Width/4
		y0, y1 := (4*y+1)*cellUp*h/Height/4, (4*y+3)*cellUp*h/Height/4
		sum, n := 0, 0
		for py := y0; py < y1; py++ {
			for px := x0; px < x1; px++ {
				sum += int(m.Y[m.YOffset(px, py)])
				n++
			}
		}
		if n == 0 {
			return 0, false
		}
		pattern <<= 1
		switch mean := sum / n; {
		case mean > 160:
			pattern |= 1
		case mean > 96:
			return 0, false
		}
	}
	value = pattern >> 2 & (1<<bits - 1)
	return value, pattern>>(bits+2) == sync && pattern&3 == ones(value)&3
}

func average(m *image.YCbCr, r image.Rectangle) color.RGBA {
	var sr, sg, sb, n int
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := m.YCbCrAt(x, y)
			cr, cg, cb := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
			sr, sg, sb, n = sr+int(cr), sg+int(cg), sb+int(cb), n+1
		}
	}
	if n == 0 {
		return color.RGBA{}
	}
	return color.RGBA{uint8(sr / n), uint8(sg / n), uint8(sb / n), 255}
}

// Near tells whether two colours are the same to the eye, after an encoder: no channel differs by more than 40 of 255.
func Near(a, b color.RGBA) bool {
	d := func(x, y uint8) bool { return max(x, y)-min(x, y) <= 40 }
	return d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B)
}
