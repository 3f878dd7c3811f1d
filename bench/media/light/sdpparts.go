//go:build linux

package light

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

func (e *End) head(mids []string) *strings.Builder {
	b := &strings.Builder{}
	line(b, "v=0")
	line(b, "o=- %d 2 IN IP4 127.0.0.1", e.reporter)
	line(b, "s=-")
	line(b, "t=0 0")
	line(b, "a=group:BUNDLE %s", strings.Join(mids, " "))
	line(b, "a=msid-semantic: WMS *")
	return b
}

func (e *End) section(b *strings.Builder, kind, port, formats, mid, way, setup string, first bool) {
	proto := "UDP/TLS/RTP/SAVPF"
	if kind == "application" {
		proto = "UDP/DTLS/SCTP"
	}
	line(b, "m=%s %s %s %s", kind, port, proto, formats)
	line(b, "c=IN IP4 0.0.0.0")
	line(b, "a=ice-ufrag:%s", e.ufrag)
	line(b, "a=ice-pwd:%s", e.pwd)
	line(b, "a=fingerprint:sha-256 %s", e.loop.print)
	line(b, "a=setup:%s", setup)
	line(b, "a=mid:%s", mid)
	if way != "" {
		line(b, "a=%s", way)
		line(b, "a=rtcp-mux")
		line(b, "a=rtcp-rsize")
	}
	if first {
		line(b, "a=candidate:%s", e.Candidate())
		line(b, "a=end-of-candidates")
	}
}

// Candidate is the one own candidate, without "candidate:".
func (e *End) Candidate() string {
	return fmt.Sprintf("1 1 udp 2130706431 %s %d typ host", e.local.Addr(), e.local.Port())
}

func line(b *strings.Builder, format string, a ...any) { fmt.Fprintf(b, format+"\r\n", a...) }

func parse(raw string) (*sdp.SessionDescription, error) {
	d := &sdp.SessionDescription{}
	if err := d.UnmarshalString(raw); err != nil {
		return nil, fmt.Errorf("light: description: %w", err)
	}
	if len(d.MediaDescriptions) == 0 {
		return nil, fmt.Errorf("light: description without a section")
	}
	return d, nil
}

func value(m *sdp.MediaDescription, key string) string { v, _ := m.Attribute(key); return v }

// codec gives the name of a payload type in lower case, and its parameters.
func codec(m *sdp.MediaDescription, pt string) (name, fmtp string) {
	for _, a := range m.Attributes {
		p, rest, _ := strings.Cut(a.Value, " ")
		switch {
		case p != pt:
		case a.Key == "rtpmap":
			n, _, _ := strings.Cut(rest, "/")
			name = strings.ToLower(n)
		case a.Key == "fmtp":
			fmtp = rest
		}
	}
	return name, fmtp
}

func extmap(m *sdp.MediaDescription, uri string) uint8 {
	for _, a := range m.Attributes {
		id, rest, _ := strings.Cut(a.Value, " ")
		if a.Key != "extmap" || strings.TrimSpace(rest) != uri {
			continue
		}
		id, _, _ = strings.Cut(id, "/")
		if n, err := strconv.ParseUint(id, 10, 8); err == nil && n > 0 && n < 15 {
			return uint8(n)
		}
	}
	return 0
}
