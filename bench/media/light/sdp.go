//go:build linux

package light

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// Payload types of our own offers.
const (
	ptAudio = 111
	ptVideo = 96
	ptAgain = 97
)

const (
	uriMid       = "urn:ietf:params:rtp-hdrext:sdes:mid"
	uriTransport = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	uriSentAt    = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	uriLayers    = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
)

// extensions that an answer takes, as Chromium's does.
var extensions = []string{uriMid, uriTransport, uriSentAt, uriLayers}

var videoFeedback = []string{"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"}

// Track is what an offer sends in one section.
type Track struct {
	Mid  string
	Kind Kind
	Name string // track id, as some servers ask for it; empty: none
}

// Offer describes a connection that sends tracks.
func (e *End) Offer(tracks []Track) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.controlling = true
	mids := make([]string, 0, len(tracks))
	for _, t := range tracks {
		mids = append(mids, t.Mid)
	}
	b := e.head(mids)
	for i, t := range tracks {
		kind, pts, pt := "audio", strconv.Itoa(ptAudio), uint8(ptAudio)
		if t.Kind == Video {
			kind, pts, pt = "video", fmt.Sprintf("%d %d", ptVideo, ptAgain), ptVideo
		}
		s := e.sends[t.Mid]
		if s == nil {
			s = newSending(t.Kind, pt)
			e.sends[t.Mid] = s
		}
		e.section(b, kind, "9", pts, t.Mid, "sendonly", "actpass", i == 0)
		name := t.Name
		if name == "" {
			name = kind
		}
		line(b, "a=msid:light %s", name)
		line(b, "a=extmap:1 %s", uriMid)
		line(b, "a=extmap:3 %s", uriTransport)
		if t.Kind == Audio {
			line(b, "a=rtpmap:%d opus/48000/2", ptAudio)
			line(b, "a=fmtp:%d minptime=10;useinbandfec=1", ptAudio)
			line(b, "a=rtcp-fb:%d transport-cc", ptAudio)
		} else {
			line(b, "a=rtpmap:%d VP8/90000", ptVideo)
			for _, f := range videoFeedback {
				line(b, "a=rtcp-fb:%d %s", ptVideo, f)
			}
			line(b, "a=rtpmap:%d rtx/90000", ptAgain)
			line(b, "a=fmtp:%d apt=%d", ptAgain, ptVideo)
		}
		line(b, "a=ssrc:%d cname:light", s.ssrc)
		line(b, "a=ssrc:%d msid:light %s", s.ssrc, name)
	}
	return b.String()
}

// SetAnswer takes the answer to Offer.
func (e *End) SetAnswer(raw string) error {
	d, err := parse(raw)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.far(d)
	for _, m := range d.MediaDescriptions {
		s := e.sends[value(m, "mid")]
		if s == nil {
			continue
		}
		if m.MediaName.Port.Value == 0 {
			return fmt.Errorf("light: the far end refuses our %s", m.MediaName.Media)
		}
		s.feedback = extmap(m, uriTransport)
		for _, pt := range m.MediaName.Formats { // an answerer may number codecs anew
			if name, _ := codec(m, pt); name == "opus" && s.kind == Audio || name == "vp8" && s.kind == Video {
				n, _ := strconv.ParseUint(pt, 10, 7)
				s.pt = uint8(n)
				break
			}
		}
	}
	return nil
}

// Answer takes an offer, also a later one of the same connection, and agrees to receive all of it.
func (e *End) Answer(raw string) (string, error) {
	d, err := parse(raw)
	if err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, lite := d.Attribute("ice-lite")
	e.controlling = lite // RFC 8445 §6.1.1: else who offers controls
	e.far(d)
	var mids []string
	for _, m := range d.MediaDescriptions {
		mids = append(mids, value(m, "mid"))
	}
	b := e.head(mids)
	setup := "passive"
	if e.client {
		setup = "active"
	}
	for i, m := range d.MediaDescriptions {
		mid, way := value(m, "mid"), "recvonly"
		if _, inactive := m.Attribute("inactive"); inactive {
			way = "inactive"
		}
		if m.MediaName.Media == "application" {
			e.section(b, "application", "9", strings.Join(m.MediaName.Formats, " "), mid, "", setup, i == 0)
			line(b, "a=sctp-port:5000")
			continue
		}
		chosen := e.choose(m)
		if len(chosen) == 0 {
			e.section(b, m.MediaName.Media, "0", strings.Join(m.MediaName.Formats, " "), mid, "inactive", setup, i == 0)
			continue
		}
		e.section(b, m.MediaName.Media, "9", strings.Join(chosen, " "), mid, way, setup, i == 0)
		for _, uri := range extensions {
			if id := extmap(m, uri); id != 0 {
				line(b, "a=extmap:%d %s", id, uri)
			}
		}
		if id := extmap(m, uriTransport); id != 0 {
			e.feedback = id
		}
		for _, a := range m.Attributes {
			pt, rest, _ := strings.Cut(a.Value, " ")
			switch {
			case !slices.Contains(chosen, pt):
			case a.Key == "rtpmap", a.Key == "fmtp":
				line(b, "a=%s:%s", a.Key, a.Value)
			case a.Key == "rtcp-fb" && slices.Contains(videoFeedback, rest):
				e.remb = e.remb || rest == "goog-remb"
				line(b, "a=%s:%s", a.Key, a.Value)
			}
		}
	}
	return b.String(), nil
}

// choose takes of an offered section what we count: Opus, VP8 and its retransmissions. Called with mu held.
func (e *End) choose(m *sdp.MediaDescription) (chosen []string) {
	media := ""
	for _, pt := range m.MediaName.Formats {
		name, fmtp := codec(m, pt)
		n, err := strconv.ParseUint(pt, 10, 7)
		if err != nil {
			continue
		}
		switch {
		case name == "opus" && media == "":
			e.kinds[n], media = Audio, pt
		case name == "vp8" && media == "":
			e.kinds[n], media = Video, pt
		case name == "rtx" && media != "" && fmtp == "apt="+media:
			e.kinds[n] = Again
		default:
			continue
		}
		chosen = append(chosen, pt)
	}
	return chosen
}

// far takes what a description says of the far end's transport. Called with mu held.
func (e *End) far(d *sdp.SessionDescription) {
	session := func(key string) string { v, _ := d.Attribute(key); return v }
	setup := ""
	for _, m := range d.MediaDescriptions {
		if m.MediaName.Port.Value == 0 && value(m, "ice-ufrag") == "" {
			continue
		}
		ufrag, pwd := value(m, "ice-ufrag"), value(m, "ice-pwd")
		if ufrag == "" {
			ufrag, pwd = session("ice-ufrag"), session("ice-pwd")
		}
		if e.remoteUfrag == "" {
			e.remoteUfrag, e.remotePwd = ufrag, pwd
		}
		if setup == "" {
			setup = value(m, "setup")
		}
		for _, a := range m.Attributes {
			if a.Key == "candidate" && !e.started {
				if c, ok := candidate(a.Value); ok && !slices.Contains(e.candidates, c) {
					e.candidates = append(e.candidates, c)
				}
			}
		}
	}
	if setup == "" {
		setup = session("setup")
	}
	if !e.started {
		e.client = setup != "active" // actpass: we take the active part, as browsers do
	}
}
