package rtc

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
)

// Bounds on descriptions from a client. A browser with one hundred sections needs about 400 KiB.
const (
	MaxSDP      = 512 << 10 // bytes
	maxSections = 256       // m-lines, also of the past: they are never taken away, only switched off
	maxUpTracks = 16        // tracks one participant may send at a time
	maxMid      = 32        // bytes
	maxTrackID  = 128       // bytes
	maxSSRCs    = 8         // sources in one m-line
	maxAttrs    = 256       // attributes in one m-line
)

// TrackMid binds an m-line to a Parley track.
type TrackMid struct {
	Mid   string
	Track string
}

// checkSDP refuses what is too large or strange before the library sees it, and returns the mids that send.
func checkSDP(raw string) (sending map[string]bool, err error) {
	if len(raw) > MaxSDP {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooMuch, len(raw), MaxSDP)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadSDP, err)
	}
	if len(d.MediaDescriptions) == 0 || len(d.MediaDescriptions) > maxSections {
		return nil, fmt.Errorf("%w: %d media sections, at most %d", ErrTooMuch, len(d.MediaDescriptions), maxSections)
	}
	sending = map[string]bool{}
	seen := map[string]bool{}
	for _, m := range d.MediaDescriptions {
		mid, sends, err := checkSection(m)
		if err != nil {
			return nil, err
		}
		if seen[mid] {
			return nil, fmt.Errorf("%w: mid twice", ErrBadSDP)
		}
		seen[mid] = true
		if sends {
			sending[mid] = true
		}
	}
	return sending, nil
}

func checkSection(m *sdp.MediaDescription) (mid string, sends bool, err error) {
	if kind := m.MediaName.Media; kind != "audio" && kind != "video" {
		return "", false, fmt.Errorf("%w: neither audio nor video", ErrBadSDP)
	}
	if len(m.Attributes) > maxAttrs {
		return "", false, fmt.Errorf("%w: %d attributes in one section", ErrTooMuch, len(m.Attributes))
	}
	sources := map[string]bool{}
	rid, bundled := false, false
	sends = true // RFC 8866 §6.7: sendrecv when nothing is said
	for _, a := range m.Attributes {
		switch a.Key {
		case "mid":
			mid = a.Value
		case "recvonly", "inactive":
			sends = false
		case "bundle-only":
			bundled = true
		case "rid":
			rid = true
		case "ssrc":
			source, _, _ := strings.Cut(a.Value, " ")
			sources[source] = true
		}
	}
	if m.MediaName.Port.Value == 0 && !bundled {
		sends = false // refused; with bundle-only it is a new section that has no address of its own (RFC 9143 §6), as Firefox writes it
	}
	switch {
	case mid == "" || len(mid) > maxMid:
		return "", false, fmt.Errorf("%w: section without a usable mid", ErrBadSDP)
	case len(sources) > maxSSRCs:
		return "", false, fmt.Errorf("%w: %d sources in one section", ErrTooMuch, len(sources))
	case sends && len(sources) == 0 && !rid:
		// Without a declared source the library makes a transceiver for every SSRC that comes: a lever for filling memory.
		return "", false, fmt.Errorf("%w: section %s sends but names no source", ErrBadSDP, mid)
	}
	return mid, sends, nil
}

// checkTracks checks the names of an up offer's sections and turns them into a map.
func checkTracks(tracks []TrackMid, sending map[string]bool) (map[string]string, error) {
	named := make(map[string]string, len(tracks))
	ids := map[string]bool{}
	for _, t := range tracks {
		if !sending[t.Mid] {
			continue // named ahead of being sent, or switched off
		}
		if t.Track == "" || len(t.Track) > maxTrackID || ids[t.Track] || named[t.Mid] != "" {
			return nil, fmt.Errorf("%w: section %s has no track of its own", ErrBadSDP, t.Mid)
		}
		named[t.Mid], ids[t.Track] = t.Track, true
	}
	if len(named) > maxUpTracks {
		return nil, fmt.Errorf("%w: %d tracks, at most %d", ErrTooMuch, len(named), maxUpTracks)
	}
	for mid := range sending {
		if named[mid] == "" {
			return nil, fmt.Errorf("%w: section %s sends but is no track", ErrBadSDP, mid)
		}
	}
	return named, nil
}

// fingerprint is the first DTLS fingerprint of a description (RFC 8122): it names the far end.
func fingerprint(raw string) string {
	_, rest, _ := strings.Cut(raw, "a=fingerprint:")
	end := strings.IndexAny(rest, "\r\n")
	return rest[:max(end, 0)]
}

// constantRate puts our Opus parameters into a description: an answer carries the offerer's otherwise.
func constantRate(raw string) string {
	lines := strings.Split(raw, "\r\n")
	opus := map[string]bool{}
	for _, l := range lines {
		if rest, ok := strings.CutPrefix(l, "a=rtpmap:"); ok {
			if pt, name, _ := strings.Cut(rest, " "); strings.HasPrefix(strings.ToLower(name), "opus/") {
				opus[pt] = true
			}
		}
	}
	for i, l := range lines {
		if rest, ok := strings.CutPrefix(l, "a=fmtp:"); ok {
			if pt, _, _ := strings.Cut(rest, " "); opus[pt] {
				lines[i] = "a=fmtp:" + pt + " " + opusFmtp
			}
		}
	}
	return strings.Join(lines, "\r\n")
}
