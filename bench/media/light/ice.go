//go:build linux

package light

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"
)

const (
	checkEvery = 50 * time.Millisecond // until the far end has answered
	keepEvery  = 2 * time.Second       // then; a browser asks for consent about as often (RFC 7675 §5.1: 5 s)

	attrPriority     stun.AttrType = 0x0024 // RFC 8445 §16.1
	attrUseCandidate stun.AttrType = 0x0025
	attrControlled   stun.AttrType = 0x8029
	attrControlling  stun.AttrType = 0x802A
)

func secret(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand, Go 1.24)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// candidate reads the address of a UDP host candidate of component 1 (RFC 8839 §5.1), IPv4 only.
func candidate(line string) (netip.AddrPort, bool) {
	f := strings.Fields(strings.TrimPrefix(line, "candidate:"))
	if len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") || f[7] != "host" {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddr(f[4])
	port, err2 := strconv.ParseUint(f[5], 10, 16)
	if err != nil || err2 != nil || !addr.Unmap().Is4() {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), true
}

func (e *End) check(to netip.AddrPort) {
	var tie, priority [8]byte
	binary.BigEndian.PutUint32(priority[:], 1862270975) // of a peer-reflexive candidate (RFC 8445 §5.1.2)
	_, _ = rand.Read(tie[:])
	set := []stun.Setter{
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(e.remoteUfrag + ":" + e.ufrag),
		stun.RawAttribute{Type: attrPriority, Value: priority[:4]},
	}
	if e.controlling {
		set = append(set, stun.RawAttribute{Type: attrControlling, Value: tie[:]}, stun.RawAttribute{Type: attrUseCandidate})
	} else {
		set = append(set, stun.RawAttribute{Type: attrControlled, Value: tie[:]})
	}
	set = append(set, stun.NewShortTermIntegrity(e.remotePwd), stun.Fingerprint)
	if m, err := stun.Build(set...); err == nil {
		sendTo(e.fd, m.Raw, to)
	}
}

// binding takes a STUN message: it answers requests, and the first answer names the far end's address.
func (e *End) binding(b []byte, from netip.AddrPort) {
	m := &stun.Message{Raw: b}
	if m.Decode() != nil || m.Type.Method != stun.MethodBinding {
		return
	}
	switch m.Type.Class {
	case stun.ClassSuccessResponse:
		if !e.remote.IsValid() {
			e.found(from)
		}
	case stun.ClassRequest:
		answer, err := stun.Build(
			stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
			&stun.XORMappedAddress{IP: net.IP(from.Addr().AsSlice()), Port: int(from.Port())},
			stun.NewShortTermIntegrity(e.pwd), stun.Fingerprint,
		)
		if err == nil {
			sendTo(e.fd, answer.Raw, from)
		}
		if !e.remote.IsValid() && e.remoteUfrag != "" {
			e.check(from) // triggered (RFC 8445 §7.3.1.4); also the address of a far end that tells us no candidate
		}
	}
}

// tickICE sends what checks are due.
func (e *End) tickICE(now time.Time) {
	if now.Before(e.nextCheck) || e.remoteUfrag == "" {
		return
	}
	if e.remote.IsValid() {
		e.nextCheck = now.Add(keepEvery)
		e.check(e.remote)
		return
	}
	e.nextCheck = now.Add(checkEvery)
	for _, c := range e.candidates {
		e.check(c)
	}
}
