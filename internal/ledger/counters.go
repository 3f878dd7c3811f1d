package ledger

import (
	"bytes"
	"slices"
)

// Counters are the newest countersignatures of the other nodes, in the order of their sides. A client that begins to follow is told them:
// else it would wait for signatures that were given long ago.
func (l *Ledger) Counters() (out []HeadSig) {
	for _, p := range l.peers {
		if p.counter.Sig != nil {
			out = append(out, p.counter)
		}
	}
	slices.SortFunc(out, func(a, b HeadSig) int { return bytes.Compare(a.Side[:], b.Side[:]) })
	return out
}
