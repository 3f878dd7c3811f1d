package mlsframe

import "bytes"

// LeavesOf is a group as a log tells it: who holds which leaf in an epoch.
func LeavesOf(groupID []byte, epoch uint64, members []Member) *Leaves {
	l := &Leaves{GroupID: bytes.Clone(groupID), Epoch: epoch, members: make(map[uint32]Member, len(members))}
	for _, m := range members {
		l.members[m.Leaf] = m
	}
	return l
}
