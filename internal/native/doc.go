// Package native is a participant without a screen: the same protocol as a browser's client, in Go. It enrols, checks the log with the rules
// of package session, holds its leaf of the MLS group (package mlsjs), publishes sealed synthetic media, opens what it
// receives, and tells whom it hears and sees, and how late.
//
// It trusts its node exactly as far as a browser does: every entry is checked, every frame opened only with the key of the
// leaf whose device announced the track.
package native
