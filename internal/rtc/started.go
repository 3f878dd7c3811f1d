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
// ICE unasked, which leaves the two ends with credentials of different offers (read in pion/webrtc v4.2.26, SetRemoteDescription and
// haveRemoteCredentialsChange; not seen to happen).
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
