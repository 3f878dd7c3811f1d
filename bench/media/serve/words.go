//go:build linux

package serve

import "parley.link/parley/internal/rtc"

// Message is one line, either way. Op says which fields count:
//
//	join    → Room, ID, Receive, Remote  the first line of a connection; Remote: tracks to fetch over the link
//	up      ↔ SDP, Tracks                the client's offer, the node's answer
//	down    ← SDP, Tracks, Generation    the node's offer
//	answer  → SDP, Generation
//	error   ← Text
type Message struct {
	Op         string
	Room       string         `json:",omitempty"`
	ID         string         `json:",omitempty"`
	Receive    bool           `json:",omitempty"`
	Remote     []string       `json:",omitempty"`
	SDP        string         `json:",omitempty"`
	Generation uint64         `json:",omitempty"`
	Tracks     []rtc.TrackMid `json:",omitempty"`
	Text       string         `json:",omitempty"`
}

// Track names a track of a person: names are unique on a node, as session logs make them.
func Track(person, kind string) string { return person + "-" + kind }
