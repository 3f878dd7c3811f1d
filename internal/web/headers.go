package web

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// policy is exactly what the client needs. Everything else, inline script included, is off: a string that reaches the page
// as markup finds nothing that would run it, and a page that was made to run something finds nowhere to send what it saw.
var policy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"worker-src 'self'",
	"style-src 'self'",
	"img-src 'self' blob: data:",
	"font-src 'self'",
	"media-src 'self' blob:",
	"manifest-src 'self'",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	// Svelte's templates, and the one policy that names the workers' own addresses.
	"trusted-types svelte-trusted-html parley-worker",
}, "; ")

var always = [][2]string{
	{"Content-Security-Policy", policy},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Embedder-Policy", "require-corp"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Origin-Agent-Cluster", "?1"},
	{"Referrer-Policy", "no-referrer"},
	{"Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), autoplay=(self), screen-wake-lock=(self), speaker-selection=(self), " +
		"accelerometer=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), local-fonts=(), magnetometer=(), midi=(), payment=(), " +
		"publickey-credentials-get=(), serial=(), usb=(), xr-spatial-tracking=()"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"X-Permitted-Cross-Domain-Policies", "none"},
	{"Integrity-Policy", "blocked-destinations=(script)"},
}

func headers(next http.Handler, overTLS bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for _, kv := range always {
			h.Set(kv[0], kv[1])
		}
		if overTLS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// floor refuses a browser whose TLS has no hybrid key agreement: what it signals could be opened later. The handshake itself
// accepts X25519, so that the person reads why instead of a handshake failure.
func floor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && r.TLS.CurveID != tls.X25519MLKEM768 {
			notice(w, http.StatusUpgradeRequired, "This browser is too old",
				"Its encrypted connection has no key agreement that withstands a quantum computer (X25519MLKEM768). Nothing was shown or sent.",
				"Use a browser of the last two years: Chromium or Chrome 131, Edge 131, Firefox 132, or newer.")
			return
		}
		// Plain HTTP is for loopback. A page of another site whose name was re-bound to 127.0.0.1 sends that name as Host and as
		// Origin: it would pass the comparison of the two and get a stranger's seat at this node.
		if r.TLS == nil && !loopbackHost(r.Host) {
			notice(w, http.StatusMisdirectedRequest, "Not under this name",
				"This node serves plain HTTP to its own machine only, under localhost.",
				"Open it as http://localhost with its port, or give the node a certificate.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopbackHost says whether a Host header names this machine: localhost, a name below it, or a loopback address.
func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
