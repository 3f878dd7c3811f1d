package mlsjs

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"parley.link/parley/internal/mlsframe"
	"parley.link/parley/internal/sframe"
)

// peer drives members that run in Node over WebCrypto and @hpke: web/src/keys/peer.testkit.ts.
type peer struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
	id  int
	key string // hex of the last base key
}

func startPeer(t *testing.T) *peer {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node on this machine")
	}
	if _, err := os.Stat("../../web/node_modules/ts-mls"); err != nil {
		t.Skip("web/node_modules is not installed")
	}
	cmd := exec.CommandContext(t.Context(), "node", "run-peer.mjs")
	cmd.Dir = "../../web"
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	s := bufio.NewScanner(out)
	s.Buffer(nil, 16<<20)
	return &peer{t: t, in: in, out: s}
}

type octetString []byte

func (o octetString) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"$b": base64.StdEncoding.EncodeToString(o)})
}

func (o *octetString) UnmarshalJSON(b []byte) error {
	var m struct {
		B []byte `json:"$b"`
	}
	err := json.Unmarshal(b, &m)
	*o = m.B
	return err
}

func big(n uint64) map[string]string { return map[string]string{"$n": fmt.Sprint(n)} }

type request map[string]any

// ask sends one request and reads its answer into value.
func (p *peer) ask(op string, r request, value any) {
	p.t.Helper()
	p.id++
	r["id"], r["op"] = p.id, op
	b, err := json.Marshal(r)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		p.t.Fatal(err)
	}
	if !p.out.Scan() {
		p.t.Fatal("the peer is gone:", p.out.Err())
	}
	var a struct {
		OK     bool            `json:"ok"`
		Code   string          `json:"code"`
		Detail string          `json:"detail"`
		Value  json.RawMessage `json:"value"`
		Key    string          `json:"key"`
	}
	if err := json.Unmarshal(p.out.Bytes(), &a); err != nil {
		p.t.Fatal(err)
	}
	if !a.OK {
		p.t.Fatalf("%s: %s", op, a.Detail)
	}
	p.key = a.Key
	if value != nil {
		if err := json.Unmarshal(a.Value, value); err != nil {
			p.t.Fatal(err)
		}
	}
}

// one is a member of the mixed group, in goja or in Node.
type one struct {
	name         string
	ref          []byte
	keyPackage   []byte
	signatureKey []byte
	goja         *Member
	group        *Group
	node         int // handle of member, then of group
	leaf         uint32
}

type mixed struct {
	t        *testing.T
	p        *peer
	id       []byte
	everyone []*one
	leaves   *mlsframe.Leaves
}

func (m *mixed) make(name string, inNode bool) *one {
	m.t.Helper()
	if !inNode {
		g := member(m.t, runtime(m.t), name)
		return &one{name: name, ref: g.Ref, keyPackage: g.KeyPackage, signatureKey: g.SignatureKey, goja: g}
	}
	var v struct {
		Member        int         `json:"member"`
		KeyPackage    octetString `json:"keyPackage"`
		KeyPackageRef octetString `json:"keyPackageRef"`
		Public        octetString `json:"signaturePublicKey"`
	}
	m.p.ask("make-member", request{"identity": octetString(name), "now": time.Now().UnixMilli()}, &v)
	return &one{name: name, ref: v.KeyPackageRef, keyPackage: v.KeyPackage, signatureKey: v.Public, node: v.Member}
}

func (m *mixed) roster(more []*one) (Roster, []map[string]octetString) {
	var a Roster
	var b []map[string]octetString
	for _, o := range append(append([]*one(nil), m.everyone...), more...) {
		a = append(a, RosterEntry{[]byte(o.name), o.signatureKey})
		b = append(b, map[string]octetString{"identity": octetString(o.name), "signatureKey": o.signatureKey})
	}
	return a, b
}

type view struct {
	Group   int    `json:"group"`
	OwnLeaf uint32 `json:"ownLeaf"`
}

// epoch lets by commit adds and removes, everyone applies it, a node's parser follows it, and all keys are compared.
func (m *mixed) epoch(by *one, adds []*one, removes []*one) {
	t := m.t
	t.Helper()
	roster, nodeRoster := m.roster(adds)
	var packages, refs [][]byte
	var nodePackages, nodeRefs = []octetString{}, []octetString{}
	for _, a := range adds {
		packages, refs = append(packages, a.keyPackage), append(refs, a.ref)
		nodePackages, nodeRefs = append(nodePackages, a.keyPackage), append(nodeRefs, a.ref)
	}
	removed := []uint32{}
	for _, r := range removes {
		removed = append(removed, r.leaf)
	}
	keys := map[string]string{}
	var message, welcome []byte
	var staged *Staged
	var pending int
	if by.group != nil {
		staged = must(by.group.Commit(packages, removed, roster, time.Now()))(t)
		message, welcome = staged.Message, staged.Welcome
	} else {
		var v struct {
			Pending int          `json:"pending"`
			Message octetString  `json:"message"`
			Welcome *octetString `json:"welcome"`
		}
		m.p.ask("commit", request{"group": by.node, "adds": nodePackages, "removes": removed, "roster": nodeRoster, "now": time.Now().UnixMilli()}, &v)
		pending, message = v.Pending, v.Message
		if v.Welcome != nil {
			welcome = *v.Welcome
		}
	}
	c, err := mlsframe.ParseCommit(message)
	if err != nil {
		t.Fatal("a node refuses the commit:", err)
	}
	added, err := m.leaves.Apply(c)
	if err != nil {
		t.Fatal("a node refuses the commit:", err)
	}
	epoch := m.leaves.Epoch
	kept := []*one{}
	for _, o := range m.everyone {
		out := o.group != nil
		for _, r := range removes {
			if r == o {
				out = true
			}
		}
		switch {
		case o == by && o.group != nil:
			must(o.group.Confirm(staged))(t)
		case o == by:
			m.p.ask("confirm", request{"group": o.node, "pending": pending}, nil)
			keys[o.name] = m.p.key
		case o.group != nil:
			if _, out, err = o.group.Process(message, Expected{CommitterLeaf: by.leaf, Adds: refs, Removes: removed, Now: time.Now()}, roster); err != nil {
				t.Fatal(o.name, err)
			}
			if out {
				continue
			}
		default:
			expected := request{"committerLeaf": by.leaf, "adds": nodeRefs, "removes": removed, "now": time.Now().UnixMilli()}
			var v *view
			m.p.ask("process", request{"group": o.node, "commit": octetString(message), "expected": expected, "roster": nodeRoster}, &v)
			if v == nil != out {
				t.Fatal(o.name, "removed:", v == nil)
			}
			if v == nil {
				continue
			}
			keys[o.name] = m.p.key
		}
		kept = append(kept, o)
	}
	m.everyone = kept
	for i, a := range adds {
		a.leaf = added[i]
		if a.goja != nil {
			a.group = must(a.goja.Join(welcome, m.id, roster, epoch))(t)
		} else {
			var v view
			m.p.ask("join", request{"member": a.node, "scope": "s", "welcome": octetString(welcome), "groupId": octetString(m.id), "roster": nodeRoster, "epoch": big(epoch)}, &v)
			a.node = v.Group
			if v.OwnLeaf != a.leaf {
				t.Fatalf("%s sits on leaf %d, a node counts %d", a.name, v.OwnLeaf, a.leaf)
			}
			keys[a.name] = m.p.key
		}
		m.everyone = append(m.everyone, a)
	}
	m.compare(keys)
}

func (m *mixed) compare(nodeKeys map[string]string) {
	m.t.Helper()
	var want *sframe.BaseKey
	for _, o := range m.everyone {
		var k sframe.BaseKey
		if o.group != nil {
			k = must(o.group.BaseKey())(m.t)
		} else {
			b, err := hex.DecodeString(nodeKeys[o.name])
			if err != nil {
				m.t.Fatal(err)
			}
			k = must(sframe.NewBaseKey(b))(m.t)
		}
		if want == nil {
			want = &k
		} else if !k.Equal(*want) {
			m.t.Fatalf("epoch %d: %s has another key", m.leaves.Epoch, o.name)
		}
	}
}

// Members in goja over Go's cryptography and members in Node over WebCrypto, in one group, with a node that follows the
// leaves without a secret.
func TestGojaAndNodeAgree(t *testing.T) {
	m := &mixed{t: t, p: startPeer(t), id: bytes.Repeat([]byte{9}, 32)}
	g0 := m.make("g0", false)
	kp, err := mlsframe.ParseKeyPackage(g0.keyPackage)
	if err != nil {
		t.Fatal(err)
	}
	m.leaves = mlsframe.Found(m.id, kp)
	g0.group = must(g0.goja.Create(m.id))(t)
	m.everyone = []*one{g0}

	n1, n2, g3, n4 := m.make("n1", true), m.make("n2", true), m.make("g3", false), m.make("n4", true)
	m.epoch(g0, []*one{n1, n2, g3, n4}, nil) // goja adds
	m.epoch(n1, nil, nil)                    // Node heals its keys
	m.epoch(g3, nil, nil)                    // goja does
	m.epoch(n2, nil, []*one{g0})             // Node removes the founder
	g5, n6 := m.make("g5", false), m.make("n6", true)
	m.epoch(g3, []*one{g5, n6}, []*one{n1}) // goja removes and adds in one commit
	m.epoch(n6, nil, []*one{g3, n2})        // Node removes two; the root of the tree goes blank or moves
	g7 := m.make("g7", false)
	m.epoch(g5, []*one{g7}, nil)
	m.epoch(g7, nil, []*one{n4})
	if m.leaves.Epoch != 8 || len(m.everyone) != 3 {
		t.Fatalf("epoch %d with %d members", m.leaves.Epoch, len(m.everyone))
	}
}
