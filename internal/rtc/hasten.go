package rtc

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

// The library looks at its candidate pairs every 200 ms and nominates only then, so a connection that could stand after one round trip
// stands after 200 ms. It also looks whenever it learns of a candidate. These are the times after a description at which a native
// participant tells it the node's address once more (as a reflexive candidate, or it would be ignored as known).
var hastenAt = []time.Duration{8 * time.Millisecond, 30 * time.Millisecond, 80 * time.Millisecond}

const maxHastened = 4 // addresses

// runHasten ends when the connection stands, or after the last of the times.
func runHasten(ctx context.Context, pc *webrtc.PeerConnection, sdp string) {
	candidates := udpHosts(sdp)
	start := time.Now()
	for i, at := range hastenAt {
		select {
		case <-ctx.Done():
			return
		case <-time.After(at - time.Since(start)):
		}
		if s := pc.ICEConnectionState(); s != webrtc.ICEConnectionStateNew && s != webrtc.ICEConnectionStateChecking {
			return
		}
		for _, c := range candidates {
			_ = pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: fmt.Sprintf("%s typ srflx raddr 0.0.0.0 rport %d", c, i+1)})
		}
	}
}

// udpHosts gives the beginnings of the description's UDP host candidates (RFC 8839 §5.1), up to the type.
func udpHosts(sdp string) (all []string) {
	seen := map[string]bool{}
	for line := range strings.Lines(sdp) {
		c, ok := strings.CutPrefix(strings.TrimSpace(line), "a=candidate:")
		if !ok {
			continue
		}
		head, _, host := strings.Cut(c, " typ host")
		f := strings.Fields(head)
		if !host || len(f) != 6 || f[1] != "1" || !strings.EqualFold(f[2], "udp") || seen[f[4]+" "+f[5]] || len(all) == maxHastened {
			continue
		}
		seen[f[4]+" "+f[5]] = true
		f[0] += "r"
		all = append(all, "candidate:"+strings.Join(f, " "))
	}
	return all
}
