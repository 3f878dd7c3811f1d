package node

import (
	"bytes"
	"errors"
	"time"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/mlsframe"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/session"
)

// validate compares what an act says about keys with the MLS bytes in it. The log keeps leaves by what acts claim; a commit that
// did something else than its act says would put a ghost into the group under the eyes of everybody who only reads the log. Every
// client checks the same again. The ledger asks before it orders and before it countersigns, so the answer must depend on
// nothing but the state and the entry.
func validate(st *session.State, entry []byte) error {
	var e act.Entry
	var s act.Signed
	var a act.Act
	if canon.Decode(entry, &e) != nil || e.From != act.ItemAct {
		return nil // unilateral acts carry no keys
	}
	if canon.Decode(e.Item, &s) != nil || canon.Decode(s.Act, &a) != nil {
		return problem.New(problem.Malformed, "what", "act")
	}
	switch a.Kind {
	case act.KindJoin:
		return validJoin(a, e.At)
	case act.KindCommit:
		return validCommit(st, a)
	}
	return nil
}

// claim is a problem that says which claim does not hold. A suite that is not ours is the classical client's.
func claim(what string, err error) error {
	if errors.Is(err, mlsframe.ErrSuite) || errors.Is(err, mlsframe.ErrVersion) {
		return problem.New(problem.ClassicalOnly)
	}
	return problem.New(problem.CommitClaims, "what", what)
}

// validJoin: the KeyPackage's leaf is signed by the very key that the device certified, and names the person of the accreditation.
func validJoin(a act.Act, at int64) error {
	var b act.Join
	if canon.Decode(a.Body, &b) != nil {
		return problem.New(problem.Malformed, "what", "join")
	}
	kp, err := mlsframe.ParseKeyPackage(b.KeyPackage)
	if err != nil {
		return claim("keypackage", err)
	}
	if err := kp.ValidAt(time.UnixMilli(at)); err != nil {
		return claim("keypackage-lifetime", err)
	}
	cert, _, err := ident.Open[ident.SessionCert](b.SessionCert)
	if err != nil {
		return problem.New(problem.Malformed, "what", "session-cert")
	}
	leaf := canon.Encode(ident.Leaf{Version: ident.Version, Scope: a.Scope, Side: cert.Side, Person: cert.Person, Device: a.Key})
	switch {
	case !bytes.Equal(kp.Leaf.SignatureKey, cert.Key):
		return claim("keypackage-key", nil)
	case !bytes.Equal(kp.Leaf.Identity, leaf):
		return claim("keypackage-identity", nil)
	}
	return nil
}

// validCommit: the message removes and adds exactly what the act says, in the group and epoch it says, from the author's own leaf;
// the Welcome is for those who are added and for nobody else.
func validCommit(st *session.State, a act.Act) error {
	var b act.Commit
	if canon.Decode(a.Body, &b) != nil {
		return problem.New(problem.Malformed, "what", "commit")
	}
	c, err := mlsframe.ParseCommit(b.Message)
	if err != nil {
		return claim("message", err)
	}
	g := st.Group()
	var members []mlsframe.Member
	packages := map[string][]byte{}
	author := -1
	for _, l := range st.LeafRoster() {
		if l.Leaf >= 0 {
			members = append(members, mlsframe.Member{Leaf: uint32(l.Leaf), Identity: l.Identity, SignatureKey: l.Key})
		}
		m, ok := st.Member(l.Join)
		if !ok {
			continue
		}
		packages[string(l.Join)] = m.KeyPackage
		if l.Leaf >= 0 && bytes.Equal(m.Device, a.Key) && m.State == session.Live {
			author = l.Leaf
		}
	}
	switch {
	case !bytes.Equal(c.GroupID, b.Group) || c.Epoch != b.Epoch:
		return claim("epoch", nil)
	case author < 0 || c.Committer != uint32(author):
		return claim("committer", nil)
	case len(c.Removes) != len(b.Removes) || len(c.Adds) != len(b.Adds):
		return claim("proposals", nil)
	}
	if err := mlsframe.LeavesOf(g.ID, g.Epoch, members).Check(c); err != nil {
		return claim("leaves", err)
	}
	for i, r := range b.Removes {
		if !contains(c.Removes, r) || i > 0 && r == b.Removes[i-1] {
			return claim("removes", nil)
		}
	}
	refs := map[[64]byte]bool{}
	for i, join := range b.Adds {
		if kp := packages[string(join)]; len(kp) == 0 || !bytes.Equal(kp, c.Adds[i].Raw) {
			return claim("adds", nil)
		}
		refs[c.Adds[i].Ref] = true
	}
	if len(b.Adds) == 0 {
		return nil
	}
	welcomed, err := mlsframe.ParseWelcome(b.Welcome)
	if err != nil {
		return claim("welcome", err)
	}
	for _, w := range welcomed {
		if !refs[w] {
			return claim("welcome", nil)
		}
		delete(refs, w)
	}
	if len(refs) > 0 {
		return claim("welcome", nil)
	}
	return nil
}

func contains(list []uint32, x uint32) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}
