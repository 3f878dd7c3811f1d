package session

// Our own bounds on what one log may hold, the same in TypeScript. A log is shared with a peer that is hostile by assumption. What a side
// can do alone is bounded for each side, never in common: else one side could fill the room and keep the other from rejoining.
const (
	MinSides       = 2
	MaxSides       = 8
	MaxSeats       = 256
	MaxActs        = 8192 // acts of a side
	KeptActs       = 1024 // of these, kept for the node and the officers; as many again for what people do alone
	MaxJoins       = 512  // joins of a side, rejoins included
	MaxJoinsEach   = 64   // of these, joins of one person
	MaxTracks      = 1024 // tracks a side ever announced
	MaxTracksEach  = 4    // tracks of one person at a time, one of each source
	MaxTracksEver  = 128  // tracks one person ever announced: a microphone and a camera with each of MaxJoinsEach joins
	MaxTracksSoon  = 16   // of these, within TracksSoon
	MaxProposals   = 256  // proposals a side ever made
	MaxOpen        = 8    // proposals of a side open at a time
	MaxSuspensions = 32   // suspensions of a side in force at a time
	MaxRevocations = 256  // of a side
	MaxGroups      = 64   // groups a side ever founded
	MaxKeyPackage  = 16 << 10
	MaxCommit      = 512 << 10
	MaxSnapshot    = 16 << 20
	maxInt         = 1<<53 - 1 // what a JavaScript number holds exactly
)

// Spans of the log's own clock, ms.
const (
	TracksSoon     = 60_000
	ProposalStands = 60 * 60 * 1000 // then it has lapsed: nobody's consent puts in effect what was wished for in another hour
)

// FirstTerm is the term of entry 0.
const FirstTerm = 1
