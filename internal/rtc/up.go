package rtc

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"parley.link/parley/internal/forward"
)

const receiveMTU = 1500 // bytes; larger packets are cut by the library and then refused as malformed

// upSide is a participant's up connection: the client offers, the node receives.
type upSide struct {
	p *Participant

	negotiate sync.Mutex // one offer at a time

	mu     sync.Mutex
	pc     *webrtc.PeerConnection
	peer   string               // the far end's DTLS fingerprint
	named  map[string]string    // mid → track
	tracks map[string]*incoming // track → what comes
	closed bool
}

// incoming is one up track with the SSRC its requests go to.
type incoming struct {
	up   *forward.UpTrack
	ssrc uint32
}

func (u *upSide) init(p *Participant) {
	u.p, u.named, u.tracks = p, map[string]string{}, map[string]*incoming{}
}

func (u *upSide) offer(ctx context.Context, raw string, tracks []TrackMid) (string, error) {
	sending, err := checkSDP(raw)
	if err != nil {
		return "", err
	}
	named, err := checkTracks(tracks, sending)
	if err != nil {
		return "", err
	}
	u.negotiate.Lock()
	defer u.negotiate.Unlock()
	u.replaced(fingerprint(raw))
	pc, err := u.connection()
	if err != nil {
		return "", err
	}
	awaitStarted(ctx, pc)
	u.rename(named)
	answer, err := answered(ctx, pc, raw)
	if err != nil {
		u.abandon(pc)
		return "", fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	return constantRate(answer), nil
}

func answered(ctx context.Context, pc *webrtc.PeerConnection, raw string) (string, error) {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: raw}); err != nil {
		return "", err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	return describe(ctx, pc, answer)
}

// abandon takes a refused offer back, so that the client's next one finds the connection as it was. Where the library cannot, the
// connection goes, and the next offer makes a new one.
func (u *upSide) abandon(pc *webrtc.PeerConnection) {
	if pc.SignalingState() == webrtc.SignalingStateStable {
		return
	}
	if pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeRollback}) == nil {
		return
	}
	u.mu.Lock()
	if u.pc == pc {
		u.pc = nil
	}
	u.mu.Unlock()
	u.rename(nil)
	_ = pc.GracefulClose()
}

func (u *upSide) connection() (*webrtc.PeerConnection, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, ErrClosed
	}
	if u.pc != nil {
		return u.pc, nil
	}
	pc, err := u.p.connect(u.p.engine.up, Up)
	if err != nil {
		return nil, err
	}
	pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) { u.arrived(pc, t, r) })
	u.pc = pc
	return pc, nil
}

// replaced drops the connection when the offer comes from another far end, as after a reload: DTLS cannot be taken over.
func (u *upSide) replaced(fingerprint string) {
	u.mu.Lock()
	pc := u.pc
	same := pc == nil || u.peer == fingerprint && pc.ConnectionState() != webrtc.PeerConnectionStateClosed
	u.peer = fingerprint
	if !same {
		u.pc = nil
	}
	u.mu.Unlock()
	if same {
		return
	}
	u.rename(nil)
	_ = pc.GracefulClose()
}

// rename takes the new names of the sections and ends the tracks that are no longer sent.
func (u *upSide) rename(named map[string]string) {
	sent := map[string]bool{}
	for _, track := range named {
		sent[track] = true
	}
	u.mu.Lock()
	u.named = named
	var ended []*forward.UpTrack
	for track, in := range u.tracks {
		if !sent[track] {
			delete(u.tracks, track)
			ended = append(ended, in.up)
		}
	}
	u.mu.Unlock()
	for _, up := range ended {
		up.Close()
		u.p.handlers.UpTrackEnd(up.ID(), up)
	}
}

// arrived runs on a goroutine of the library's, on the first packet of a source.
func (u *upSide) arrived(pc *webrtc.PeerConnection, t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	if t.RID() != "" {
		return // a layer: those have an issue of their own
	}
	mid := midOf(pc, r)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return
	}
	clock := &atomic.Pointer[forward.Clock]{}
	u.p.wait.Go(func() { u.runRead(pc, mid, t, r, clock) })
	u.p.wait.Go(func() { u.runReports(uint32(t.SSRC()), r, clock) })
}

// open makes the up track that a section's packets belong to now, nil if none is named or another source has the name.
func (u *upSide) open(pc *webrtc.PeerConnection, mid string, t *webrtc.TrackRemote) *forward.UpTrack {
	ssrc := uint32(t.SSRC())
	u.mu.Lock()
	track := u.named[mid]
	if u.closed || track == "" || u.tracks[track] != nil {
		u.mu.Unlock()
		return nil
	}
	up := forward.NewUpTrack(track, kindOf(t.Kind()), codecOf(t.Codec().RTPCodecCapability), func() {
		_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}})
	})
	u.tracks[track] = &incoming{up: up, ssrc: ssrc}
	u.mu.Unlock()
	u.p.handlers.UpTrack(track, up)
	return up
}

func midOf(pc *webrtc.PeerConnection, r *webrtc.RTPReceiver) string {
	for _, t := range pc.GetTransceivers() {
		if t.Receiver() == r {
			return t.Mid()
		}
	}
	return ""
}

// runRead carries packets from the library to the forwarder until the source ends. One buffer and one header serve all of them. A section
// may be switched off and on again, under another name too, while its source goes on: then it gets a new up track.
func (u *upSide) runRead(
	pc *webrtc.PeerConnection, mid string, t *webrtc.TrackRemote, r *webrtc.RTPReceiver, clock *atomic.Pointer[forward.Clock],
) {
	descriptor := extensionID(r.GetParameters().HeaderExtensions, DescriptorURI)
	buf := make([]byte, receiveMTU)
	var h rtp.Header
	var up *forward.UpTrack
	var pt uint8
	defer func() {
		if up != nil {
			u.ended(up)
		}
	}()
	for {
		n, _, err := t.Read(buf)
		if err != nil {
			return
		}
		if up == nil || up.Closed() {
			if up = u.open(pc, mid, t); up == nil {
				continue
			}
			pt = uint8(t.PayloadType())
			if c := clock.Load(); c != nil {
				up.SetClock(*c)
			}
		}
		p, ok := parse(buf[:n], &h, descriptor)
		switch {
		case !ok:
			up.Refuse(forward.Malformed)
		case p.PayloadType != pt && !strings.EqualFold(t.Codec().MimeType, up.Codec().MimeType):
			up.Refuse(forward.WrongCodec)
		default:
			up.Write(time.Now(), &p)
		}
	}
}

// parse reads an RTP packet (RFC 3550 §5.1). The result points into b.
func parse(b []byte, h *rtp.Header, descriptor uint8) (forward.Packet, bool) {
	*h = rtp.Header{Extensions: h.Extensions[:0], CSRC: h.CSRC[:0]}
	n, err := h.Unmarshal(b)
	if err != nil || n > len(b) {
		return forward.Packet{}, false
	}
	payload := b[n:]
	if h.Padding {
		if len(payload) == 0 || int(payload[len(payload)-1]) > len(payload) || payload[len(payload)-1] == 0 {
			return forward.Packet{}, false
		}
		payload = payload[:len(payload)-int(payload[len(payload)-1])]
	}
	p := forward.Packet{
		SSRC: h.SSRC, PayloadType: h.PayloadType, Sequence: h.SequenceNumber, Timestamp: h.Timestamp, Marker: h.Marker, Payload: payload,
	}
	if descriptor != 0 {
		p.Descriptor = h.GetExtension(descriptor)
	}
	return p, true
}

// runReports reads the publisher's RTCP, for the library's reports and for the publisher's clock. Reports about another source of the
// connection are left alone: each has its own reader.
func (u *upSide) runReports(ssrc uint32, r *webrtc.RTPReceiver, clock *atomic.Pointer[forward.Clock]) {
	buf := make([]byte, receiveMTU)
	for {
		n, _, err := r.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, p := range packets {
			report, ok := p.(*rtcp.SenderReport)
			if !ok || report.SSRC != ssrc {
				continue
			}
			c := forward.Clock{NTP: report.NTPTime, Timestamp: report.RTPTime, At: time.Now()}
			clock.Store(&c)
			u.mu.Lock()
			for _, in := range u.tracks {
				if in.ssrc == ssrc {
					in.up.SetClock(c)
				}
			}
			u.mu.Unlock()
		}
	}
}

func (u *upSide) ended(up *forward.UpTrack) {
	u.mu.Lock()
	in := u.tracks[up.ID()]
	mine := in != nil && in.up == up
	if mine {
		delete(u.tracks, up.ID())
	}
	u.mu.Unlock()
	up.Close()
	if mine {
		u.p.handlers.UpTrackEnd(up.ID(), up)
	}
}

// tick asks publishers for what is missing. seqs is scratch.
func (u *upSide) tick(now time.Time, seqs []uint16) []uint16 {
	u.mu.Lock()
	pc := u.pc
	list := make([]*incoming, 0, maxUpTracks)
	for _, in := range u.tracks {
		list = append(list, in)
	}
	u.mu.Unlock()
	for _, in := range list {
		seqs = in.up.Tick(now, 0, seqs[:0])
		if len(seqs) > 0 && in.up.Kind() == forward.Video { // browsers keep no audio for retransmission
			_ = pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: in.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)}})
		}
	}
	return seqs
}

func (u *upSide) list() []*forward.UpTrack {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make([]*forward.UpTrack, 0, len(u.tracks))
	for _, in := range u.tracks {
		all = append(all, in.up)
	}
	return all
}

func (u *upSide) close() {
	u.mu.Lock()
	u.closed = true
	pc := u.pc
	u.mu.Unlock()
	if pc != nil {
		_ = pc.GracefulClose()
	}
}
