package rtc

import (
	"errors"
	"strings"
	"testing"
)

// TestSectionThatSends: port 0 refuses a section, except beside bundle-only (RFC 9143 §6), which is how Firefox offers a new one. One taken
// for the other lost Firefox's pictures, and let a section without a named source pass.
func TestSectionThatSends(t *testing.T) {
	offer := func(port, attributes string) string {
		return strings.ReplaceAll("v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE 1\nm=video "+port+" UDP/TLS/RTP/SAVPF 121\nc=IN IP4 0.0.0.0\na=mid:1\n"+attributes, "\n", "\r\n")
	}
	const source = "a=ssrc:1351069986 cname:x\n"
	for _, tt := range []struct {
		name, sdp string
		sends     bool
		err       error
	}{
		{"as Chromium offers it", offer("9", "a=sendonly\n"+source), true, nil},
		{"as Firefox offers it", offer("0", "a=bundle-only\na=sendonly\n"+source), true, nil},
		{"refused", offer("0", "a=sendonly\n"+source), false, nil},
		{"switched off", offer("0", "a=bundle-only\na=inactive\n"+source), false, nil},
		{"bundled without a source", offer("0", "a=bundle-only\na=sendonly\n"), false, ErrBadSDP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sending, err := checkSDP(tt.sdp)
			if !errors.Is(err, tt.err) || sending["1"] != tt.sends {
				t.Fatalf("sends %v, %v", sending["1"], err)
			}
		})
	}
}
