// Our own bounds on what one log may hold: the same as internal/session/limits.go.
export const minSides = 2;
export const maxSides = 8;
export const maxSeats = 256;
export const maxActs = 16384;
export const maxJoins = 1024;
export const maxTracks = 2048;
export const maxTracksEach = 4;
export const maxProposals = 1024;
export const maxOpen = 32;
export const maxSuspensions = 64;
export const maxRevocations = 512;
export const maxGroups = 256;
export const maxKeyPackage = 16 << 10;
export const maxCommit = 512 << 10;
export const maxSnapshot = 16 << 20;
export const firstTerm = 1;
