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
	cell   = 16 // pixels wide
	cellUp = 8  // pixels high
	cells  = Width / cell
	bits   = 16
)

// palette holds colours that differ by more than an eye or an encoder may err, in some channel, and from black and white.
var palette = [...]color.RGBA{
	{150, 30, 44, 255}, {24, 104, 64, 255}, {40, 60, 150, 255}, {190, 146, 40, 255}, {104, 44, 130, 255}, {36, 134, 150, 255},
	{200, 92, 44, 255}, {104, 116, 40, 255}, {190, 90, 140, 255}, {84, 66, 44, 255}, {136, 176, 130, 255}, {40, 58, 80, 255},
}

// Colour is the background of person number n. It repeats after twelve.
func Colour(n int) color.RGBA { return palette[(n%len(palette)+len(palette))%len(palette)] }

// paint draws frame counter of person n: a figure before a wall of the person's colour, initials on its chest.
func paint(n, counter int, initials string) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, Width, Height))
	wall := Colour(n)
	draw.Draw(m, m.Bounds(), image.NewUniform(wall), image.Point{}, draw.Src)
	// It breathes: a still picture and a frozen one look alike.
	breath := counter % Loop
	if breath > Loop/2 {
		breath = Loop - breath
	}
	ellipse(m, Width/2, Height+6-breath/10, 74, 70, towards(wall, color.Black, 45))
	ellipse(m, Width/2, 78-breath/10, 31, 37, towards(wall, color.White, 62))
	row(m, 0, 0b10, n)
	row(m, 1, 0b01, counter)
	text(m, initials, 2, Width/2-7*len(initials), 136, color.White)
	text(m, fmt.Sprintf("%04d", counter), 1, Width-36, 2*cellUp+4, color.White)
	return m
}

func ellipse(m *image.NRGBA, x, y, rx, ry int, c color.Color) {
	for dy := -ry; dy <= ry; dy++ {
		for dx := -rx; dx <= rx; dx++ {
			if dx*dx*ry*ry+dy*dy*rx*rx <= rx*rx*ry*ry {
				m.Set(x+dx, y+dy, c)
			}
		}
	}
}

// towards mixes percent of b into a.
func towards(a color.RGBA, b color.Color, percent int) color.RGBA {
	r, g, bl, _ := b.RGBA()
	mix := func(x uint8, y uint32) uint8 { return uint8((int(x)*(100-percent) + int(y>>8)*percent) / 100) }
	return color.RGBA{mix(a.R, r), mix(a.G, g), mix(a.B, bl), 255}
}

func row(m *image.NRGBA, y, sync, value int) {
	value &= 1<<bits - 1
	pattern := sync<<(bits+2) | value<<2 | ones(value)&3
	for i := range cells {
		c := color.Color(color.Black)
		if pattern>>(cells-1-i)&1 == 1 {
			c = color.White
		}
		at := image.Rect(i*cell, y*cellUp, (i+1)*cell, (y+1)*cellUp)
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
