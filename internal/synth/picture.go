package synth

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Size of a picture in pixels.
const (
	Width  = 320
	Height = 180
)

// The strip at the top: two rows of cells, one bit each, white for 1. A row is two cells of sync (10 above, 01 below), sixteen bits of
// number (person above, counter below; highest first) and two cells that count its ones modulo 4.
const (
	cell  = 16 // pixels
	cells = Width / cell
	bits  = 16
)

// palette holds colours that differ by more than an eye or an encoder may err, in some channel, and from black and white.
var palette = [...]color.RGBA{
	{200, 40, 40, 255}, {40, 160, 60, 255}, {50, 80, 210, 255}, {220, 170, 30, 255}, {150, 50, 190, 255}, {30, 170, 180, 255},
	{230, 110, 30, 255}, {120, 130, 40, 255}, {220, 90, 160, 255}, {110, 70, 40, 255}, {120, 200, 120, 255}, {30, 90, 110, 255},
}

// Colour is the background of person number n. It repeats after twelve.
func Colour(n int) color.RGBA { return palette[(n%len(palette)+len(palette))%len(palette)] }

// paint draws frame counter of person n.
func paint(n, counter int, initials string) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, Width, Height))
	draw.Draw(m, m.Bounds(), image.NewUniform(Colour(n)), image.Point{}, draw.Src)
	row(m, 0, 0b10, n)
	row(m, 1, 0b01, counter)
	text(m, fmt.Sprintf("%04d", counter), 5, 80, 48, color.White)
	text(m, initials, 3, 16, 130, color.Black)
	return m
}

func row(m *image.NRGBA, y, sync, value int) {
	value &= 1<<bits - 1
	pattern := sync<<(bits+2) | value<<2 | ones(value)&3
	for i := range cells {
		c := color.Color(color.Black)
		if pattern>>(cells-1-i)&1 == 1 {
			c = color.White
		}
		at := image.Rect(i*cell, y*cell, (i+1)*cell, (y+1)*cell)
		draw.Draw(m, at, image.NewUniform(c), image.Point{}, draw.Src)
	}
}

func ones(v int) (n int) {
	for ; v != 0; v &= v - 1 {
		n++
	}
	return n
}

// text writes s enlarged, its top left corner at x, y.
func text(m *image.NRGBA, s string, scale, x, y int, c color.Color) {
	face := basicfont.Face7x13
	small := image.NewAlpha(image.Rect(0, 0, face.Advance*len(s), face.Height))
	d := font.Drawer{Dst: small, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Ascent)}
	d.DrawString(s)
	for sy := range small.Rect.Dy() {
		for sx := range small.Rect.Dx() {
			if small.AlphaAt(sx, sy).A < 128 {
				continue
			}
			at := image.Rect(x+sx*scale, y+sy*scale, x+(sx+1)*scale, y+(sy+1)*scale)
			draw.Draw(m, at, image.NewUniform(c), image.Point{}, draw.Src)
		}
	}
}
