package node

import (
	"sync"

	"parley.link/parley/internal/ledger"
)

// Notes that a peer may hand to our people, per second. A member says ready once an epoch, and attests then and every 8 s. What passes here
// goes to every browser of this side, so that a peer without a bound could fill the way to a slow one, and end it.
const (
	notesOfDevice = 8
	notesOfSide   = 256
)

// notes counts what came in the present second. Only live members are counted, so its size has the sessions' bounds.
type notes struct {
	mu      sync.Mutex
	second  int64
	sides   map[ledger.Side]int
	devices map[noteFrom]int
}

type noteFrom struct {
	side   ledger.Side
	device [32]byte
}

// allow counts one more, or says that it is too many. now in ms.
func (n *notes) allow(side ledger.Side, device [32]byte, now int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.second != now/1000 || n.sides == nil {
		n.second, n.sides, n.devices = now/1000, map[ledger.Side]int{}, map[noteFrom]int{}
	}
	from := noteFrom{side, device}
	if n.devices[from] >= notesOfDevice || n.sides[side] >= notesOfSide {
		return false
	}
	n.devices[from]++
	n.sides[side]++
	return true
}
