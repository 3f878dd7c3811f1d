package node

import (
	"crypto/sha256"
	"encoding/base64"

	"parley.link/parley/internal/act"
)

// streamOf names what a track is brought together with by a browser: a camera with its microphone, a screen with its sound. A browser
// brings one picture and one sound of a stream together and leaves the others alone. The name is another with every join, and says nothing
// that the log did not tell whoever receives the track.
func streamOf(join []byte, source string) string {
	pair := "person"
	if source == act.SourceScreen || source == act.SourceScreenAudio {
		pair = "screen"
	}
	h := sha256.Sum256(append([]byte("parley stream v1\x00"+pair+"\x00"), join...))
	return base64.RawURLEncoding.EncodeToString(h[:16])
}
