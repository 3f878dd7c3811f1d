// Our own bounds on what one log may hold: the same as internal/session/limits.go. What a side can do alone is bounded for each side.
export const minSides = 2;
export const maxSides = 8;
export const maxSeats = 256;
export const maxActs = 8192;
/** Of these, kept for the node and the officers; as many again for what people do alone. */
export const keptActs = 1024;
export const maxJoins = 512;
/** Of these, joins of one person. */
export const maxJoinsEach = 64;
export const maxTracks = 1024;
/** Of one person at a time; ever; and within a span of the log's clock, ms. */
export const maxTracksEach = 4;
export const maxTracksEver = 128;
export const maxTracksSoon = 16;
export const tracksSoon = 60_000;
/** How long a proposal may wait for consents before it has lapsed, ms of the log's clock. */
export const proposalStands = 60 * 60 * 1000;
export const maxProposals = 256;
export const maxOpen = 8;
export const maxSuspensions = 32;
export const maxRevocations = 256;
export const maxGroups = 64;
export const maxKeyPackage = 16 << 10;
export const maxCommit = 512 << 10;
export const maxSnapshot = 16 << 20;
export const firstTerm = 1;
