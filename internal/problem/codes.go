package problem

// The table. A new code needs its sentences in every language of the client, or the build fails.
const (
	Internal Code = "internal"

	// Bytes and versions.
	Malformed       Code = "malformed"
	TooLarge        Code = "too-large"
	OutOfOrder      Code = "out-of-order"
	WrongVersion    Code = "wrong-version"
	TooMany         Code = "too-many"
	BadSignature    Code = "bad-signature"
	UnknownSession  Code = "unknown-session"
	ClockOff        Code = "clock-off"
	ClassicalOnly   Code = "classical-only"
	BrowserTooOld   Code = "browser-too-old"
	ClientDifferent Code = "client-different"

	// Identity.
	NotAccredited         Code = "not-accredited"
	AccreditationExpired  Code = "accreditation-expired"
	AccreditationEarly    Code = "accreditation-early"
	AccreditationForeign  Code = "accreditation-foreign"
	AccreditationAltered  Code = "accreditation-altered"
	AccreditationRevoked  Code = "accreditation-revoked"
	AccreditationDevice   Code = "accreditation-device" // made for another device
	EnrolmentDeclined     Code = "enrolment-declined"
	NotOfficer            Code = "not-officer"
	NotSeated             Code = "not-seated"
	NotJoined             Code = "not-joined"
	ReplacedByOtherDevice Code = "replaced-by-other-device"

	// Acts.
	Replayed         Code = "replayed"
	NotYours         Code = "not-yours" // acting on another side's or person's thing
	NotInForce       Code = "not-in-force"
	AlreadyDone      Code = "already-done"
	NoSuchProposal   Code = "no-such-proposal"
	ProposalLapsed   Code = "proposal-lapsed"
	NoSuchTrack      Code = "no-such-track"
	SessionSuspended Code = "session-suspended"
	SessionClosed    Code = "session-closed"
	TimeOver         Code = "time-over" // the agreed time has ended, and not been extended
	StaleEpoch       Code = "stale-epoch"
	CommitClaims     Code = "commit-claims" // an MLS commit that does not match what its act says, or the roster
	PlanInvalid      Code = "plan-invalid"
	NotCommitter     Code = "not-committer"

	// Link and order.
	LinkLost         Code = "link-lost"
	LinkUnknownKey   Code = "link-unknown-key"
	LinkSwappedKey   Code = "link-swapped-key"
	LinkNotVerified  Code = "link-not-verified"
	FingerprintWrong Code = "fingerprint-wrong"
	Forked           Code = "forked"
	HeldBack         Code = "held-back"
	Gap              Code = "gap"
	NotCountersigned Code = "not-countersigned" // a node keeps its signature of the log back
	MemberDiffers    Code = "member-differs"    // one member attests another group than all others

	// Media and devices.
	MediaFailed       Code = "media-failed"
	MicrophoneRefused Code = "microphone-refused"
	MicrophoneLost    Code = "microphone-lost"
	CameraRefused     Code = "camera-refused"
	CameraLost        Code = "camera-lost"
	ScreenRefused     Code = "screen-refused"
	CannotOpen        Code = "cannot-open" // sealed media that does not open

	// The node.
	NodeUnreachable Code = "node-unreachable"
	NodeStopping    Code = "node-stopping"
	DiskFull        Code = "disk-full"
	Uncertain       Code = "uncertain" // sent on, and this node cannot tell whether it was taken
	StoreDamaged    Code = "store-damaged"
	PortBusy        Code = "port-busy"
)
