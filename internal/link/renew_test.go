package link

import (
	"testing"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
)

// A node whose certificate has ended is refused, and is let in with the renewed one without a restart.
func TestRenewedCertificateIsShownAtOnce(t *testing.T) {
	a, b := twoParties(t)
	side := a.root.Side()
	ended, err := a.root.SignNode(ident.NodeCert{Version: ident.Version, Side: side[:], Key: a.key.Public(), From: 0, Until: 1})
	if err != nil {
		t.Fatal(err)
	}
	good := a.cfg.NodeCert
	a.cfg.NodeCert = canon.Encode(ended)
	b.start(a.peer(""))
	a.start(b.peer(b.addr))
	wantRefusal(t, b, problem.LinkUnknownKey)
	a.e.SetNodeCert(good)
	await[Up](a, "up")
	await[Up](b, "up")
}
