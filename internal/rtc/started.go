package rtc

import (
	"context"
	"time"

	"github.com/pion/webrtc/v4"
)

// startPatience bounds the wait for a transport that is about to start.
const startPatience = 2 * time.Second

// awaitStarted waits until the transport of the description before has started. The library starts it beside the negotiation; an offer
// that comes in between finds an agent without the far end's credentials, takes the very same ones for a changed pair, and restarts
// ICE unasked: the two ends then check each other with credentials of different offers until they give up (pion/webrtc v4.2.26,
// SetRemoteDescription, haveRemoteCredentialsChange).
func awaitStarted(ctx context.Context, pc *webrtc.PeerConnection) {
	if pc.RemoteDescription() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for pc.ICEConnectionState() == webrtc.ICEConnectionStateNew {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		}
	}
}
