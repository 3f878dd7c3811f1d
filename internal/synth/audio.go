package synth

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/thesyncim/gopus"
)

// Sound is 48 kHz, one channel, in frames of 20 ms.
const (
	Rate         = 48000 // samples a second
	FrameSamples = 960
	FrameTime    = 20 * time.Millisecond

	toneFrames    = Rate / FrameSamples // one second: any whole number of hertz closes the loop
	toneAmplitude = 0.25
	bitRate       = 32000
)

// ErrOpus is returned when the codec fails.
var ErrOpus = errors.New("synth: Opus")

// ToneOf is the pilot tone of person number n in hertz, 37 apart so that no two make a third.
func ToneOf(n int) int { return 1000 + 37*n }

// Tone is one second of a pilot tone in Opus frames of constant size, to be repeated. It is only read after NewTone.
type Tone struct {
	Hz     int
	frames [toneFrames][]byte
}

// NewTone encodes a tone; hz 0 is silence, in frames of the same size.
func NewTone(hz int) (*Tone, error) {
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: Rate, Channels: 1, Application: gopus.ApplicationAudio})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOpus, err)
	}
	e.SetVBR(false) // sizes must not show who speaks
	e.SetDTX(false)
	for _, err := range []error{e.SetBitrate(bitRate), e.SetFrameSize(FrameSamples), e.SetComplexity(5)} {
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOpus, err)
		}
	}
	t := &Tone{Hz: hz}
	pcm, out := make([]float32, FrameSamples), make([]byte, 1276)
	for i := range 2 * toneFrames { // the first second lets the encoder settle, the second is kept
		for s := range pcm {
			at := (i*FrameSamples + s) % Rate
			pcm[s] = 0
			if hz != 0 {
				pcm[s] = float32(toneAmplitude * math.Sin(2*math.Pi*float64(hz)*float64(at)/Rate))
			}
		}
		n, err := e.Encode(pcm, out)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOpus, err)
		}
		t.frames[i%toneFrames] = append([]byte(nil), out[:n]...)
	}
	return t, nil
}

// Frame gives frame i of the endless tone. The bytes are shared: seal a copy.
func (t *Tone) Frame(i uint64) []byte { return t.frames[i%toneFrames] }
