package synth

import (
	"fmt"
	"math"

	"github.com/thesyncim/gopus"
)

const (
	window = Rate / 5 // samples listened to: 200 ms tell tones 37 Hz apart
	// Quietest tone that counts as heard: -50 dB of full scale, and a twentieth of all the energy.
	leastAmplitude = 0.003
	leastShare     = 0.05
)

// Ear decodes the Opus frames of one track and keeps the last 200 ms. Not safe for concurrent use.
type Ear struct {
	dec  *gopus.Decoder
	out  []float32
	ring []float32
}

// NewEar makes an ear that has heard nothing.
func NewEar() (*Ear, error) {
	d, err := gopus.NewDecoder(gopus.DefaultDecoderConfig(Rate, 1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOpus, err)
	}
	return &Ear{dec: d, out: make([]float32, 6*FrameSamples)}, nil // a packet holds at most 120 ms (RFC 6716 §3.2.5)
}

// Hear decodes one frame.
func (e *Ear) Hear(frame []byte) error {
	if len(frame) == 0 {
		return fmt.Errorf("%w: empty frame", ErrOpus)
	}
	n, err := e.dec.Decode(frame, e.out)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOpus, err)
	}
	e.ring = append(e.ring, e.out[:min(n, len(e.out))]...)
	if over := len(e.ring) - window; over > 0 {
		e.ring = append(e.ring[:0], e.ring[over:]...)
	}
	return nil
}

// Hears tells whether the tone was in the last 200 ms.
func (e *Ear) Hears(hz int) bool { return HearsTone(e.ring, hz) }

// HearsTone tells whether a tone of hz is in 48 kHz sound; at least 200 ms are needed.
func HearsTone(pcm []float32, hz int) bool {
	if len(pcm) < window {
		return false
	}
	amplitude, share := measure(pcm[len(pcm)-window:], float64(hz))
	return amplitude >= leastAmplitude && share >= leastShare
}

// Level is the level of a tone in the last 200 ms of 48 kHz sound, in dB of full scale; -120 is nothing.
func Level(pcm []float32, hz int) float64 {
	if len(pcm) < window {
		return -120
	}
	a, _ := measure(pcm[len(pcm)-window:], float64(hz))
	return max(20*math.Log10(a+1e-9), -120)
}

// measure is Goertzel's algorithm over a Hann window: the amplitude of one frequency, and its share of all energy.
func measure(pcm []float32, hz float64) (amplitude, share float64) {
	n := float64(len(pcm))
	k := 2 * math.Cos(2*math.Pi*hz/Rate)
	var s1, s2, energy float64
	for i, x := range pcm {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/n)
		v := float64(x) * w
		energy += v * v
		s1, s2 = v+k*s1-s2, s1
	}
	power := s1*s1 + s2*s2 - k*s1*s2
	amplitude = math.Sqrt(max(power, 0)) * 4 / n // the window halves, the two-sided spectrum halves again
	if energy > 0 {
		share = amplitude * amplitude / 2 / (energy / n / 0.375) // 0.375: mean square of the window
	}
	return amplitude, share
}
