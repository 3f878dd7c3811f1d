// Package sessiontest makes sides, people, acts and entries with keys from seeds, for tests of whatever stands on the
// session engine. Everything in it is deterministic: the same calls give the same bytes.
package sessiontest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/session"
)

// Start is the time at which a world begins: 2026-03-02 09:00 UTC, ms.
const Start int64 = 1772442000000

// Day in ms.
const Day int64 = 86_400_000

// FormatID is the id of the one format.
const FormatID = "restricted"

// World is a set of sides around one scope.
type World struct {
	Scope [32]byte
	Now   int64 // ms; every act and entry moves it 10 ms on
	Sides []*Side
	nonce uint64
}

// Side is one side with all its keys.
type Side struct {
	ID         []byte
	Name       map[string]string
	Language   string
	Zone       string
	Delegation ident.Delegation
	Node       ident.Key
	NodeCert   []byte // canonical ident.Signed
	Officers   [2]ident.Key
	Certs      [][]byte // of the officers
	Seq        uint64   // of the next outbox item
	Prev       []byte
	prefix     string
}

// Person is one person on one device.
type Person struct {
	Side   *Side
	ID     string
	Role   string
	Device ident.Key
	Acc    ident.Accreditation
	Signed []byte // canonical ident.Signed of Acc
}

func seed(parts ...any) []byte {
	h := sha256.Sum256([]byte(fmt.Sprintln(append([]any{"parley test seed"}, parts...)...)))
	return h[:]
}

// Key is the key of a name.
func Key(name string) ident.Key {
	k, err := ident.KeyFromSeed(seed("key", name))
	if err != nil {
		panic(err)
	}
	return k
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var known = []struct {
	prefix, lang string
	name         map[string]string
}{
	{"v", "en", map[string]string{"en": "Velmark", "ar": "فيلمارك"}},
	{"q", "ar", map[string]string{"en": "Qasran", "ar": "قصران"}},
	{"t", "fr", map[string]string{"en": "Tessaly", "fr": "Tessalie"}},
}

// New makes a world of n sides: Velmark (v), Qasran (q), Tessaly (t).
func New(n int) *World {
	w := &World{Scope: [32]byte(seed("scope", n)), Now: Start}
	for _, k := range known[:n] {
		w.Sides = append(w.Sides, newSide(k.prefix, k.lang, k.name))
	}
	return w
}

func newSide(prefix, lang string, name map[string]string) *Side {
	s := &Side{Name: name, Language: lang, Zone: map[string]string{"v": "Europe/Vienna", "q": "Asia/Muscat"}[prefix], prefix: prefix, Prev: make([]byte, 32)}
	s.Delegation = must(ident.DelegationFromSeed(append(seed("delegation", prefix, 1), seed("delegation", prefix, 2)...)))
	id := s.Delegation.Side()
	s.ID = id[:]
	s.Node = Key(prefix + " node")
	s.NodeCert = canon.Encode(must(s.Delegation.SignNode(ident.NodeCert{
		Version: 1, Side: s.ID, Key: s.Node.Public(), From: Start - Day, Until: Start + 30*Day})))
	for i := range s.Officers {
		s.Officers[i] = Key(fmt.Sprint(prefix, " officer ", i+1))
		s.Certs = append(s.Certs, canon.Encode(must(s.Delegation.SignOfficer(ident.OfficerCert{
			Version: 1, Side: s.ID, Person: fmt.Sprint(prefix, "-officer-", i+1), Name: fmt.Sprint("Officer ", i+1),
			Device: s.Officers[i].Public(), From: Start - Day, Until: Start + 30*Day}))))
	}
	return s
}

// Person makes a person with an accreditation by the side's first officer.
func (s *Side) Person(id, role string) *Person { return s.PersonOn(id, role, id+" device") }

// PersonOn is Person on a device of the given name.
func (s *Side) PersonOn(id, role, device string) *Person {
	p := &Person{Side: s, ID: s.prefix + "-" + id, Role: role, Device: Key(s.prefix + " " + device)}
	return p.Accredit(func(*ident.Accreditation) {})
}

// Accredit makes the person's accreditation anew with a change, signed by the officer it names.
func (p *Person) Accredit(change func(*ident.Accreditation)) *Person {
	c := *p
	c.Acc = ident.Accreditation{Version: 1, Side: p.Side.ID, Person: p.ID, Name: map[string]string{"en": "Person " + p.ID, "ar": "شخص"},
		Office: map[string]string{"en": "Office of " + p.ID}, Role: p.Role, Formats: []string{FormatID}, Device: p.Device.Public(),
		From: Start - Day, Until: Start + Day, Verified: "in-person", At: Start - Day/2, By: p.Side.Officers[0].Public()}
	change(&c.Acc)
	signer := p.Side.Officers[0]
	if string(c.Acc.By) == string(p.Side.Officers[1].Public()) {
		signer = p.Side.Officers[1]
	}
	c.Signed = canon.Encode(signer.SignBody(ident.ContextAccreditation, c.Acc))
	return &c
}

// Plan is a plan of all sides with a seat for each person; the first side's node orders.
func (w *World) Plan(people ...*Person) act.Plan {
	p := act.Plan{Title: map[string]string{"en": "Talks", "ar": "محادثات"}, Status: "test", Sequencer: w.Sides[0].ID, Profile: act.Profile,
		Recording: "none", From: Start, Until: Start + Day/2,
		Format: act.Format{ID: FormatID, Name: map[string]string{"en": "Restricted", "ar": "مصغرة"}}}
	for _, s := range w.Sides {
		p.Sides = append(p.Sides, act.PlanSide{ID: s.ID, Name: s.Name, Language: s.Language, Zone: s.Zone,
			Delegation: canon.Encode(s.Delegation.Public()), Node: s.NodeCert, Officers: s.Certs})
	}
	for _, x := range people {
		p.Format.Seats = append(p.Format.Seats, act.Seat{Side: x.Side.ID, Person: x.ID, Role: x.Role})
	}
	return p
}

// Act signs an act of a side with a key.
func (w *World) Act(side *Side, key ident.Key, kind act.Kind, body any) act.Signed {
	w.nonce++
	w.Now += 10
	nonce := make([]byte, act.NonceSize)
	binary.BigEndian.PutUint64(nonce[8:], w.nonce)
	b := act.Encode(act.Act{Version: act.Version, Scope: w.Scope[:], Kind: kind, Side: side.ID, Key: key.Public(), At: w.Now, Nonce: nonce,
		Body: act.Encode(body)})
	return act.Signed{Act: b, Sig: key.Sign(act.ContextAct, b)}
}

// By is Act of a person.
func (w *World) By(p *Person, kind act.Kind, body any) act.Signed {
	return w.Act(p.Side, p.Device, kind, body)
}

// Officer is Act of a side's officer 0 or 1.
func (w *World) Officer(s *Side, n int, kind act.Kind, body any) act.Signed {
	return w.Act(s, s.Officers[n], kind, body)
}

// Join is a join of a person with a session key of the given name.
func (w *World) Join(p *Person, keyName string) act.Signed {
	return w.By(p, act.KindJoin, act.Join{Accreditation: p.Signed, SessionCert: w.SessionCert(p, keyName), KeyPackage: []byte("key package of " + keyName)})
}

// SessionCert certifies the session key of a name.
func (w *World) SessionCert(p *Person, keyName string) []byte {
	return canon.Encode(p.Device.SignBody(ident.ContextSession, ident.SessionCert{Version: 1, Scope: w.Scope[:], Side: p.Side.ID, Person: p.ID,
		Device: p.Device.Public(), Key: Key(keyName).Public()}))
}

// Item is the next item of a side's outbox. Advance moves the chain on.
func (w *World) Item(s *Side, signed act.Signed) act.SignedOutbox {
	b := act.Encode(act.Outbox{Version: act.Version, Scope: w.Scope[:], Side: s.ID, Seq: s.Seq, Prev: s.Prev, At: w.Now, Act: act.Encode(signed)})
	return act.SignedOutbox{Item: b, Sig: s.Node.Sign(act.ContextOutbox, b)}
}

// Advance moves a side's outbox chain past an item.
func (s *Side) Advance(item act.SignedOutbox) {
	h := sha256.Sum256(item.Item)
	s.Seq, s.Prev = s.Seq+1, h[:]
}

// Entry is the next entry of a state's log, holding an act.Signed or an act.SignedOutbox.
func (w *World) Entry(s *session.State, item any) []byte {
	term, next, hash := s.Head()
	return w.EntryAt(term, next, hash, item)
}

// EntryAt is an entry at a given place.
func (w *World) EntryAt(term, index uint64, prev [32]byte, item any) []byte {
	w.Now += 10
	from := act.ItemAct
	if _, ok := item.(act.SignedOutbox); ok {
		from = act.ItemOutbox
	}
	return act.Encode(act.Entry{Version: act.Version, Scope: w.Scope[:], Term: term, Index: index, Prev: prev[:], At: w.Now, From: from, Item: act.Encode(item)})
}

// HeadSig is a side's node's signature over an entry's head.
func (w *World) HeadSig(s *Side, term, index uint64, entry []byte) act.NodeSig {
	h := act.Hash(entry)
	return act.NodeSig{Side: s.ID, Sig: s.Node.Sign(act.ContextHead, session.HeadAfter(w.Scope[:], term, index, h[:]))}
}

// TrackID is the track id of a name.
func TrackID(name string) string {
	return base64.RawURLEncoding.EncodeToString(seed("track", name)[:16])
}

// GroupID is the group id of a name.
func GroupID(name string) []byte { return seed("group", name) }

// JoinID is the act id of a signed act.
func JoinID(s act.Signed) []byte {
	id := act.IDOf(s.Act)
	return id[:]
}
