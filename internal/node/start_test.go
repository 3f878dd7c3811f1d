package node

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley.link/parley/internal/config"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/side"
)

// try starts a node that should not start, and returns why.
func (p *party) try() error {
	p.t.Helper()
	n, err := New(context.Background(), p.cfg, Options{Client: testClient, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if err := n.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return n.Run(ctx)
}

// Every failure of a start names what failed, what it means and what to do, and has its exit code.
func TestStartFaults(t *testing.T) {
	busyTCP, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busyTCP.Close()
	busyUDP, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busyUDP.Close()
	for _, tt := range []struct {
		name  string
		spoil func(p *party)
		exit  int
		says  []string
	}{
		{"web port busy", func(p *party) { p.cfg.Web.Listen = busyTCP.Addr().String() }, ExitPortBusy, []string{"web.listen", "what to do", "for example"}},
		{"media port busy", func(p *party) { p.cfg.Media.UDP = busyUDP.LocalAddr().String() }, ExitPortBusy, []string{"media.udp", "what to do"}},
		{"turn port busy", func(p *party) { p.cfg.Turn.Listen = busyUDP.LocalAddr().String() }, ExitPortBusy, []string{"turn.listen", "what to do"}},
		{"link port busy", func(p *party) { p.cfg.Link.Listen = busyUDP.LocalAddr().String() }, ExitPortBusy, []string{"link.listen", "what to do"}},
		{"not certified", func(p *party) { must(t, os.Remove(filepath.Join(p.data, side.BundleFile))) }, ExitIdentity, []string{"not certified", "parley side node-cert DIR --key parley-node-"}},
		{"another node's certificate", func(p *party) { p.certify(newKey(t).Public()) }, ExitIdentity, []string{"certifies no node, or another one"}},
		{"certificate of the future, or a clock that is off", func(p *party) { p.certifyFrom(time.Now().Add(time.Hour)) }, ExitIdentity, []string{"clock", "what to do"}},
		{"a delegation key", func(p *party) {
			must(t, os.WriteFile(filepath.Join(p.data, "delegation-key.age"), []byte("x"), 0o600))
		}, ExitIdentity, []string{"delegation key lies in the node's data directory", "wipe"}},
		{"the key readable by others", func(p *party) { must(t, os.Chmod(filepath.Join(p.data, keyFile), 0o644)) }, ExitIdentity, []string{"chmod 600"}},
		{"a store that is not one", func(p *party) {
			must(t, os.WriteFile(filepath.Join(p.data, storeFile), bytes.Repeat([]byte("rubbish"), 999), 0o600))
		}, ExitStoreDamaged, []string{"left as it is", "backup"}},
		{"no certificate file", func(p *party) {
			p.cfg.Web = config.Web{Listen: "127.0.0.1:0", Cert: filepath.Join(p.data, "no.pem"), Key: filepath.Join(p.data, "no.key")}
		}, ExitConfig, []string{"web.cert", "for example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newParty(t, "velmark")
			tt.spoil(p)
			err := p.try()
			if err == nil {
				t.Fatal("it started")
			}
			if got := ExitCode(err); got != tt.exit {
				t.Errorf("exit %d, want %d: %v", got, tt.exit, err)
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q lacks %q", err, s)
				}
			}
		})
	}
}

func (p *party) certifyFrom(from time.Time) {
	key, err := Key(p.data)
	must(p.t, err)
	s, err := p.root.SignNode(ident.NodeCert{Version: 1, Side: p.id[:], Key: key.Public(), From: from.UnixMilli(), Until: from.Add(time.Hour).UnixMilli()})
	must(p.t, err)
	b, err := side.ReadBundle(p.data)
	must(p.t, err)
	b.Node = encoded(s)
	must(p.t, side.WriteFile(filepath.Join(p.data, side.BundleFile), b.Text(), 0o644))
}

func TestTwoNodesOnOneDirectory(t *testing.T) {
	p := one(t)
	second := *p
	second.cfg.Web.Listen, second.cfg.Link.Listen = "127.0.0.1:0", "127.0.0.1:0"
	err := second.try()
	if ExitCode(err) != ExitInUse {
		t.Fatal(err)
	}
}

// A tampered log is named, and the file is left as it was.
func TestTamperedLogIsNamed(t *testing.T) {
	w := newWorld(t)
	w.plan(w.a.seatOf("v-prin", "principal"), w.b.seatOf("q-prin", "principal"))
	w.a.halt()
	path := filepath.Join(w.a.data, storeFile)
	b, err := os.ReadFile(path)
	must(t, err)
	i := bytes.Index(b, []byte("Plenary"))
	if i < 0 {
		t.Fatal("the plan is not in the file")
	}
	copy(b[i:], "Plunary")
	must(t, os.WriteFile(path, b, 0o600))
	err = w.a.try()
	if ExitCode(err) != ExitStoreDamaged || problem.CodeOf(err) != problem.StoreDamaged {
		t.Fatalf("a tampered log was used: %v", err)
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(b, after) {
		t.Error("the evidence was changed")
	}
}

// Officers certified while the node runs are officers within seconds, without a restart.
func TestNewBundleIsTakenWhileRunning(t *testing.T) {
	p := one(t)
	k := newKey(t)
	if d := p.desk(k, nil); d.Welcome.Officer {
		t.Fatal("an officer before it was certified")
	}
	p.officers[1] = k
	deadline := time.Now().Add(patience)
	for {
		p.certify(p.node.key.Public()) // the time of the file changes with each copy
		d, err := p.tryDesk(k, nil)
		if err == nil {
			officer := d.Welcome.Officer
			d.Close()
			if officer {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("the new bundle is not used")
		}
		<-time.After(200 * time.Millisecond)
	}
	if !bytes.Equal(p.node.link.NodeCert(), p.node.side().Node) {
		t.Error("the link still shows the old certificate")
	}
	// A bundle of another side is not.
	other := newParty(t, "qasran")
	text, err := os.ReadFile(filepath.Join(other.data, side.BundleFile))
	must(t, err)
	must(t, side.WriteFile(filepath.Join(p.data, side.BundleFile), text, 0o644))
	await(t, "the refusal in the security log", func() bool {
		lines, err := p.node.store.SecurityLog(context.Background(), 50)
		must(t, err)
		for _, l := range lines {
			if l.Kind == "bundle-refused" {
				return true
			}
		}
		return false
	})
	if p.node.side().ID != p.id {
		t.Error("the node changed sides")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	dir := t.TempDir()
	k, err := Key(dir)
	must(t, err)
	b, err := os.ReadFile(filepath.Join(dir, keyFile))
	must(t, err)
	seed := strings.Fields(string(b))[len(strings.Fields(string(b)))-1]
	n := &Node{key: k}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", n.key, "node", n)
	if strings.Contains(out.String(), seed) {
		t.Error("the node key prints")
	}
	again, err := Key(dir)
	if err != nil || !bytes.Equal(again.Public(), k.Public()) {
		t.Error("the key is not kept", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
