package act

// Bodies of the acts. Optional fields are absent when zero. Texts that people read are maps from language tag to text.

// Plan is the body of a plan act: what both sides sign before anything else.
type Plan struct {
	Title     map[string]string `cbor:"title"`
	Status    string            `cbor:"status"` // formal, informal, without-prejudice, test
	Sides     []PlanSide        `cbor:"sides"`
	Sequencer []byte            `cbor:"sequencer"` // id of the side whose node orders
	Format    Format            `cbor:"format"`
	Profile   string            `cbor:"profile"`   // key profile, see Profile
	Recording string            `cbor:"recording"` // none
	From      int64             `cbor:"from"`      // ms
	Until     int64             `cbor:"until"`     // ms; later by an extend act only
}

// Profile is the one key profile of this protocol version (keys: RFC 9420 with X-Wing; RFC 9605).
const Profile = "parley-1 MLS_256_XWING_AES256GCM_SHA512_Ed25519 SFrame_AES_256_GCM_SHA512_128"

// PlanSide introduces a side with its whole chain, so that a log can be checked with nothing but itself and the
// delegation keys that people compared by hand.
type PlanSide struct {
	ID         []byte            `cbor:"id"` // ident.SideID of Delegation
	Name       map[string]string `cbor:"name"`
	Language   string            `cbor:"language"`
	Zone       string            `cbor:"zone"`       // IANA time zone of the capital, as in Europe/Vienna; empty if not told
	Delegation []byte            `cbor:"delegation"` // canonical ident.DelegationKey
	Node       []byte            `cbor:"node"`       // canonical ident.Signed of an ident.NodeCert
	Officers   [][]byte          `cbor:"officers"`   // two canonical ident.Signed of ident.OfficerCert
}

// Format is who may be in the room.
type Format struct {
	ID    string            `cbor:"id"`
	Name  map[string]string `cbor:"name"`
	Seats []Seat            `cbor:"seats"`
}

// Seat names one person of one side.
type Seat struct {
	Side   []byte `cbor:"side"`
	Person string `cbor:"person"`
	Role   string `cbor:"role"`
}

// Consent agrees to one proposal.
type Consent struct {
	To []byte `cbor:"to"` // act id
}

// Admit proposes one more seat.
type Admit struct {
	Format string `cbor:"format"`
	Seat   Seat   `cbor:"seat"`
}

// Join brings a device into the session.
type Join struct {
	Accreditation []byte `cbor:"accreditation"` // canonical ident.Signed of ident.Accreditation
	SessionCert   []byte `cbor:"session"`       // canonical ident.Signed of ident.SessionCert
	KeyPackage    []byte `cbor:"keypackage"`    // MLS KeyPackage (RFC 9420 §10), its leaf key is SessionCert's key
}

// Leave ends the author's presence of one join. It names the join, so that an item of an outbox that is ordered late cannot end a
// later join of the same device.
type Leave struct {
	Join []byte `cbor:"join"`
}

// Lost says that the join with this id has gone without leaving.
type Lost struct {
	Join []byte `cbor:"join"`
}

// Track sources.
const (
	SourceMicrophone  = "microphone"
	SourceCamera      = "camera"
	SourceScreen      = "screen"
	SourceScreenAudio = "screen-audio"
)

// Publish announces a track of the author.
type Publish struct {
	Track  string `cbor:"track"` // 22 characters of base64url: 16 random bytes, unique in the session
	Source string `cbor:"source"`
	Codec  string `cbor:"codec"` // opus, vp9, vp8, av1
	Muted  bool   `cbor:"muted"`
}

// Withdraw, Mute and Unmute name a track of the author.
type Withdraw struct {
	Track string `cbor:"track"`
}
type Mute struct {
	Track string `cbor:"track"`
}
type Unmute struct {
	Track string `cbor:"track"`
}

// Suspend reasons.
const (
	ReasonOfficer  = "officer"
	ReasonLinkLost = "link-lost"
	ReasonFork     = "fork"
	ReasonHeldBack = "held-back"
	ReasonClock    = "clock"
)

// Suspend stops the session at once.
type Suspend struct {
	Reason string `cbor:"reason"`
	Of     []byte `cbor:"of"` // the side affected, empty if none
}

// Resume proposes to go on, after the suspensions up to an index.
type Resume struct{}

// Close proposes to end the session.
type Close struct{}

// Extend proposes a later end.
type Extend struct {
	Until int64 `cbor:"until"` // ms
}

// Revoke carries the officer's revocation.
type Revoke struct {
	Revocation []byte `cbor:"revocation"` // canonical ident.Signed of ident.Revocation
}

// GroupNew founds a group with the author as its only member, at leaf 0, epoch 0.
type GroupNew struct {
	Group []byte `cbor:"group"` // 32 random bytes, the MLS group id
	Join  []byte `cbor:"join"`  // the founder's join act id
}

// Commit is one MLS commit. Its claims are checked by nodes (package mlsframe) and by clients against Message itself.
type Commit struct {
	Group   []byte   `cbor:"group"`
	Epoch   uint64   `cbor:"epoch"`   // the epoch it ends; the group is at Epoch+1 afterwards
	Adds    [][]byte `cbor:"adds"`    // join act ids, in the order of the Add proposals
	Removes []uint32 `cbor:"removes"` // leaf indices, ascending
	Message []byte   `cbor:"message"` // MLSMessage with a PublicMessage commit
	Welcome []byte   `cbor:"welcome"` // MLSMessage with a Welcome, empty without adds
}

// Term names a new sequencer after an exact point of the log. One officer of every side signs an act with this very body;
// the entry that starts the term holds one of them, with the others in Others.
type Term struct {
	Term      uint64   `cbor:"term"`
	Sequencer []byte   `cbor:"sequencer"`
	After     uint64   `cbor:"after"`
	Hash      []byte   `cbor:"hash"`
	Others    [][]byte `cbor:"others"` // canonical Signed acts of the other sides' officers with Others empty
}
