package node

import (
	"time"

	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/limit"
)

// Notes that a peer may hand to our people, per second. A member says ready once an epoch, and attests then and every 8 s. What passes here
// goes to every browser of this side, so that a peer without a bound could fill the way to a slow one, and end it.
const (
	notesOfDevice = 8
	notesOfSide   = 256
)

// notes counts them. Only live members are counted, so its size has the sessions' bounds.
type notes struct{ devices, sides *limit.Window }

func newNotes() notes {
	return notes{devices: limit.NewWindow(notesOfDevice, time.Second), sides: limit.NewWindow(notesOfSide, time.Second)}
}

// allow counts one more, or says that it is too many. What is beyond a device's share does not use up its side's. now in ms.
func (n notes) allow(side ledger.Side, device [32]byte, now int64) bool {
	at := time.UnixMilli(now)
	return n.devices.Allow(string(side[:])+string(device[:]), at) && n.sides.Allow(string(side[:]), at)
}
