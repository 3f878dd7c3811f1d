package session

// Our own bounds on what one log may hold. A log is shared with a peer that is hostile by assumption; each bound keeps one
// kind of growth finite, and all are the same in TypeScript.
const (
	MinSides       = 2
	MaxSides       = 8
	MaxSeats       = 256
	MaxActs        = 16384 // acts of one log
	MaxJoins       = 1024  // joins of one log, rejoins included
	MaxTracks      = 2048  // tracks ever announced in one log
	MaxTracksEach  = 4     // tracks of one person at a time
	MaxProposals   = 1024  // proposals ever made in one log
	MaxOpen        = 32    // proposals open at a time
	MaxSuspensions = 64    // suspensions in force at a time
	MaxRevocations = 512
	MaxGroups      = 256 // groups ever founded in one log
	MaxKeyPackage  = 16 << 10
	MaxCommit      = 512 << 10
	MaxSnapshot    = 16 << 20
	maxInt         = 1<<53 - 1 // what a JavaScript number holds exactly
)

// FirstTerm is the term of entry 0.
const FirstTerm = 1
