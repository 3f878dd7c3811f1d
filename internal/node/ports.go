package node

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"time"

	"parley.link/parley/internal/config"
	"parley.link/parley/internal/rtc"
	"parley.link/parley/internal/seat"
	"parley.link/parley/internal/turn"
	"parley.link/parley/internal/web"
	"parley.link/parley/internal/wire/signalpb"
)

// turnLife is how long a credential for the relay lasts; an open relay outlives it.
const turnLife = 12 * time.Hour

func (n *Node) openMedia() error {
	c := rtc.Config{
		UDP: n.cfg.Media.UDP, TCP: n.cfg.Media.TCP, Log: n.log,
		Loopback: config.Loopback(n.cfg.Web.Listen) || config.Loopback(n.cfg.Media.UDP),
	}
	for _, a := range n.cfg.Media.Announce {
		ip, err := netip.ParseAddr(a)
		if err != nil {
			return err // config has checked it
		}
		c.Announce = append(c.Announce, ip)
	}
	var err error
	if n.rtc, err = rtc.New(c); err != nil {
		return listening("media.udp", n.cfg.Media.UDP+" or "+n.cfg.Media.TCP, err)
	}
	n.media.engine = n.rtc
	if n.cfg.Turn.Listen == "" {
		return nil
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand, Go 1.24)
	n.turn, err = turn.New(turn.Config{UDP: n.cfg.Turn.Listen, TCP: n.cfg.Turn.Listen, Media: n.relayTo(), Secret: secret})
	if err != nil {
		return listening("turn.listen", n.cfg.Turn.Listen, err)
	}
	return nil
}

// relayTo is the media port as people know it, and as it is bound here.
func (n *Node) relayTo() []turn.Media {
	var bound []netip.AddrPort
	for _, a := range n.rtc.UDPAddrs() {
		if u, ok := a.(*net.UDPAddr); ok {
			if ip := u.AddrPort(); ip.IsValid() {
				bound = append(bound, netip.AddrPortFrom(ip.Addr().Unmap().WithZone(""), ip.Port()))
			}
		}
	}
	var out []turn.Media
	for _, b := range bound {
		out = append(out, turn.Media{Told: b, Bound: b})
	}
	for _, a := range n.cfg.Media.Announce {
		if ip, err := netip.ParseAddr(a); err == nil && len(bound) > 0 {
			out = append(out, turn.Media{Told: netip.AddrPortFrom(ip, bound[0].Port()), Bound: bound[0]})
		}
	}
	return out
}

// ice is what a device needs to reach the relay.
func (n *Node) ice(device []byte) []*signalpb.IceServer {
	if n.turn == nil {
		return nil
	}
	port := strconv.Itoa(n.turn.UDPAddr().(*net.UDPAddr).Port)
	hosts := n.cfg.Turn.Announce
	if len(hosts) == 0 {
		hosts = n.cfg.Media.Announce
	}
	if len(hosts) == 0 {
		seen := map[string]bool{}
		for _, m := range n.relayTo() {
			if h := m.Told.Addr().String(); !seen[h] && len(hosts) < 2 && !m.Told.Addr().IsLinkLocalUnicast() {
				seen[h] = true
				hosts = append(hosts, h)
			}
		}
	}
	c := n.turn.Credential(time.Now(), turnLife, device)
	s := &signalpb.IceServer{Username: c.Username, Credential: c.Password}
	for _, h := range hosts {
		at := net.JoinHostPort(h, port)
		s.Urls = append(s.Urls, "turn:"+at+"?transport=udp", "turn:"+at+"?transport=tcp")
	}
	return []*signalpb.IceServer{s}
}

func (n *Node) openWeb() error {
	conf, err := n.tls()
	if err != nil {
		return err
	}
	seats := &seat.Config{
		Greeting: n.greeting, People: n.people, Sessions: n.scopes, Media: n.media, Links: n.cards, Hub: n.hub, Security: n.note,
		Log: n.log, Now: time.Now,
	}
	n.web, err = web.Listen(web.Config{
		Listen: n.cfg.Web.Listen, TLS: conf, Client: n.client, Log: n.log,
		Accept: func(ctx context.Context, s *web.Socket) { seat.Run(ctx, seats, s) },
	})
	if err != nil {
		return listening("web.listen", n.cfg.Web.Listen, err)
	}
	return nil
}

// tls is the HTTPS certificate: the given one, or a self-signed one that is kept; nil for plain HTTP on loopback.
func (n *Node) tls() (*tls.Config, error) {
	if n.cfg.Web.Plain {
		return nil, nil
	}
	if n.cfg.Web.Cert != "" {
		conf, err := web.TLSFiles(n.cfg.Web.Cert, n.cfg.Web.Key, time.Now, func(err error) {
			n.log.Error("the new certificate for browsers is not used", "error", err)
			n.note("certificate-refused", "", "")
		})
		if err != nil {
			return nil, &Fault{What: "The certificate for browsers cannot be used (settings web.cert and web.key)", Err: err, Exit: ExitConfig,
				Do: "Give a PEM file with the certificate chain and the PEM file of its own key.", Example: "parley serve --web-cert /etc/parley/node.pem --web-key /etc/parley/node.key"}
		}
		return conf, nil
	}
	names := n.cfg.Web.Names
	if len(names) == 0 {
		names = []string{"localhost", "127.0.0.1", "::1"}
		if host, err := os.Hostname(); err == nil && host != "" {
			names = append(names, host)
		}
		if host, _, err := net.SplitHostPort(n.cfg.Web.Listen); err == nil && net.ParseIP(host) != nil && !net.ParseIP(host).IsUnspecified() {
			names = append(names, host)
		}
	}
	cert, err := web.SelfSigned(n.cfg.Data, names, time.Now())
	if err != nil {
		return nil, &Fault{What: "No certificate for browsers could be made", Err: err, Exit: ExitConfig, Do: "See the error above."}
	}
	n.fingerprint = web.Fingerprint(cert)
	return web.TLS(cert), nil
}

func (n *Node) greeting() seat.Greeting {
	c := n.side()
	return seat.Greeting{
		Node: n.key.Public(), Build: config.Version, Bundle: n.client.Bundle(), Ice: n.ice,
		Side: &signalpb.Side{Id: c.ID[:], Name: c.Name, Language: c.Language, Zone: n.cfg.Zone, Delegation: c.Delegation, NodeCert: c.Node, OfficerCerts: c.Officers},
	}
}

func (n *Node) openAdmin() error {
	l := &local{cards: n.cards, key: n.key, address: n.cfg.Link.Announce, running: true}
	var err error
	if n.admin, err = listenAdmin(n.cfg.Data, adminRoutes(l, n.health, n.metrics)); err != nil {
		return &Fault{What: "The admin socket cannot be opened", Err: err, Exit: ExitConfig, Do: "Check that the data directory can be written."}
	}
	return nil
}

// Offline is `parley link` on the store of a node that does not run.
func Offline(ctx context.Context, cfg config.Config) (LinkAdmin, func() error, error) {
	n := &Node{cfg: cfg}
	if err := n.identify(); err != nil {
		return nil, nil, err
	}
	st, err := openStore(ctx, cfg.Data)
	if err != nil {
		return nil, nil, err
	}
	c := &Cards{store: st, own: n.side, now: time.Now}
	c.note = func(kind, person, detail string) { noteTo(ctx, st, kind, person, detail) }
	return &local{cards: c, key: n.key, address: cfg.Link.Announce}, st.Close, nil
}

// Addresses are what a person is told to open, and what the link card says.
func (n *Node) Addresses() (browser, link string) {
	scheme := "https"
	if n.cfg.Web.Plain {
		scheme = "http"
	}
	host, port, _ := net.SplitHostPort(n.web.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
		host = "localhost"
	}
	if len(n.cfg.Web.Names) > 0 {
		host = n.cfg.Web.Names[0]
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(host, port)), n.link.Addr().String()
}

// Fingerprints are what people compare: of the browser certificate (empty for one from an authority) and of this side.
func (n *Node) Fingerprints() (certificate, linkDigits string, linkWords []string) {
	f := n.side()
	fp := fingerprintOf(f)
	return n.fingerprint, fp.Digits, fp.Words
}
