package synth

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"sync"
	"time"

	"github.com/gen2brain/webp"
)

// Loop is how many different frames a video has; then the counter starts anew.
const Loop = 60

// ErrEncode is returned when the encoder gives something that is not one VP8 frame.
var ErrEncode = errors.New("synth: cannot make a VP8 frame")

// quality is low: large areas of one colour stay exact, and a frame takes about two packets.
const quality = 40

// Video is the synthetic camera of one person. Safe for concurrent use.
type Video struct {
	person   int
	initials string
	fps      int

	mu     sync.Mutex
	frames [Loop][]byte
}

// NewVideo makes the camera of person number (0 to 65,535), with initials of up to six ASCII letters, at fps frames a second (1 to 30).
// Frames are encoded when first asked for.
func NewVideo(person int, initials string, fps int) *Video {
	if len(initials) > 6 {
		initials = initials[:6]
	}
	return &Video{person: person, initials: initials, fps: min(max(fps, 1), 30)}
}

// Interval is the time between two frames.
func (v *Video) Interval() time.Duration { return time.Second / time.Duration(v.fps) }

// Counter is the frame that is due at a time.
func (v *Video) Counter(now time.Time) int { return int(now.UnixMilli() * int64(v.fps) / 1000 % Loop) }

// Age tells how late a frame with that counter is at a time, if it is less than the length of the loop, as all of a person's frames of
// one rate are shown by the same clock.
func (v *Video) Age(counter int, now time.Time) time.Duration {
	loop := int64(Loop) * 1000 / int64(v.fps)
	shown := int64(counter) * 1000 / int64(v.fps)
	age := (now.UnixMilli()%loop - shown + loop) % loop
	return time.Duration(age) * time.Millisecond
}

// Frame gives a frame as a VP8 key frame (RFC 6386). The bytes are shared: seal a copy.
func (v *Video) Frame(counter int) ([]byte, error) {
	i := (counter%Loop + Loop) % Loop
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.frames[i] == nil {
		b, err := encodeVP8(v.person, i, v.initials)
		if err != nil {
			return nil, err
		}
		v.frames[i] = b
	}
	return v.frames[i], nil
}

func encodeVP8(person, counter int, initials string) ([]byte, error) {
	return encodeImage(paint(person, counter, initials))
}

func encodeImage(m image.Image) ([]byte, error) {
	var b bytes.Buffer
	if err := webp.Encode(&b, m, webp.Options{Quality: quality, Method: 1}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncode, err)
	}
	return vp8Chunk(b.Bytes())
}

// vp8Chunk takes the frame out of a lossy WebP file: RIFF, size, WEBP, then chunks of four letters, size and padded data.
func vp8Chunk(file []byte) ([]byte, error) {
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WEBP" {
		return nil, fmt.Errorf("%w: no RIFF header", ErrEncode)
	}
	for rest := file[12:]; len(rest) >= 8; {
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if 8+size > uint64(len(rest)) {
			break
		}
		if string(rest[:4]) == "VP8 " {
			return bytes.Clone(rest[8 : 8+size]), nil
		}
		rest = rest[min(8+size+size&1, uint64(len(rest))):]
	}
	return nil, fmt.Errorf("%w: no VP8 chunk", ErrEncode)
}
