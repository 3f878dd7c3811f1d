package link

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/quic-go/quic-go"
)

// generation is the media keys of one carrier, both directions: SRTP with AEAD_AES_256_GCM (RFC 7714) and cryptex (RFC 9335), from the
// carrier's TLS exporter (RFC 8446 §7.5), one label per direction:
//
//	exporter(label, dialler's node key || acceptor's node key, 48)
//	0                32            44              48
//	+----------------+-------------+---------------+
//	| master key     | master salt | report SSRC   |
//	+----------------+-------------+---------------+
//
// The context binds both node keys, because the exporter's own transcript ends before the client's certificate. The report SSRC is the one
// sender of RTCP in that direction; since both ends know it, no report needs trying several keys, and a peer cannot make state
// per SSRC grow.
//
// A nonce is SSRC and 48-bit index under one key. SSRCs are drawn anew for every generation and never twice within one; the index of a
// stream only goes forward (DownTrack never writes a number twice); keys never outlive their carrier. So no nonce repeats, whatever a
// peer asks for.
type generation struct {
	conn   *quic.Conn
	remote atomic.Pointer[netip.AddrPort] // QUIC's current idea of it: a peer behind a NAT may move

	outReport uint32 // we send reports as
	inReport  uint32 // the peer sends reports as

	outMu sync.Mutex
	out   *srtp.Context // guarded by outMu

	in    *srtp.Context   // guarded by Media.inMu
	opens int             // TrackOpens of the peer under these keys; guarded by Media.mu
	used  map[uint32]bool // SSRCs that were ever ours under these keys; guarded by Media.mu
}

func (g *generation) address() netip.AddrPort { return *g.remote.Load() }

// follow notes where the peer is now, and says whether it moved.
func (g *generation) follow() bool {
	now := remoteOf(g.conn)
	if old := g.remote.Swap(&now); old != nil {
		return *old != now
	}
	return true
}

func newGeneration(conn *quic.Conn, dialled bool, own, theirs ed25519.PublicKey) (*generation, error) {
	dialler, acceptor := own, theirs
	if !dialled {
		dialler, acceptor = theirs, own
	}
	bind := bytes.Join([][]byte{dialler, acceptor}, nil)
	state := conn.ConnectionState().TLS
	client, err := state.ExportKeyingMaterial(exporterClient, bind, 48)
	if err != nil {
		return nil, fmt.Errorf("export media keys: %w", err)
	}
	server, err := state.ExportKeyingMaterial(exporterServer, bind, 48)
	if err != nil {
		return nil, fmt.Errorf("export media keys: %w", err)
	}
	out, in := client, server
	if !dialled {
		out, in = server, client
	}
	g := &generation{conn: conn, used: map[uint32]bool{}}
	g.follow()
	g.outReport, g.inReport = binary.BigEndian.Uint32(out[44:]), binary.BigEndian.Uint32(in[44:])
	if g.out, err = srtp.CreateContext(out[:32], out[32:44], srtp.ProtectionProfileAeadAes256Gcm,
		srtp.Cryptex(srtp.CryptexModeRequired)); err != nil {
		return nil, fmt.Errorf("key outgoing media: %w", err)
	}
	// Pion's default is no replay protection at all.
	if g.in, err = srtp.CreateContext(in[:32], in[32:44], srtp.ProtectionProfileAeadAes256Gcm,
		srtp.Cryptex(srtp.CryptexModeRequired), srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow)); err != nil {
		return nil, fmt.Errorf("key incoming media: %w", err)
	}
	return g, nil
}

func remoteOf(conn *quic.Conn) netip.AddrPort {
	if u, ok := conn.RemoteAddr().(*net.UDPAddr); ok {
		return unmap(u.AddrPort())
	}
	return netip.AddrPort{}
}

// sealRTP seals the packet in p.Buf[:p.N] in place. The index's upper 32 bits are told to Pion before every packet: its own
// estimate starts at the first packet it sees and takes no packet from before a wrap at the start of a stream.
func (g *generation) sealRTP(p *packet, h *rtp.Header, ssrc uint32, index uint64) error {
	g.outMu.Lock()
	defer g.outMu.Unlock()
	g.out.SetROC(ssrc, uint32(index>>16))
	sealed, err := g.out.EncryptRTP(p.Buf[:0], p.Buf[:p.N], h)
	if err != nil {
		return fmt.Errorf("seal media: %w", err)
	}
	p.N = len(sealed)
	p.To = g.address()
	return nil
}

func (g *generation) sealRTCP(p *packet, h *rtcp.Header) error {
	g.outMu.Lock()
	defer g.outMu.Unlock()
	sealed, err := g.out.EncryptRTCP(p.Buf[:0], p.Buf[:p.N], h)
	if err != nil {
		return fmt.Errorf("seal report: %w", err)
	}
	p.N = len(sealed)
	p.To = g.address()
	return nil
}

// openRTP opens b in place. Only the read loop calls it, and only for SSRCs that were announced.
func (g *generation) openRTP(b []byte, h *rtp.Header, index uint64) ([]byte, Verdict) {
	g.in.SetROC(binary.BigEndian.Uint32(b[8:]), uint32(index>>16))
	out, err := g.in.DecryptRTP(b[:0], b, h)
	switch {
	case err == nil:
		return out, Delivered
	case errors.Is(err, srtp.ErrFailedToVerifyAuthTag):
		return nil, NotAuthentic
	default:
		return nil, Replayed
	}
}

func (g *generation) openRTCP(b []byte, h *rtcp.Header) ([]byte, Verdict) {
	out, err := g.in.DecryptRTCP(b[:0], b, h)
	switch {
	case err == nil:
		return out, ReportDelivered
	case errors.Is(err, srtp.ErrFailedToVerifyAuthTag):
		return nil, NotAuthentic
	default:
		return nil, Replayed
	}
}

func (g *generation) rtt() time.Duration { return g.conn.ConnectionStats().SmoothedRTT }
