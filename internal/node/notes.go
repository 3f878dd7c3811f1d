package node

import (
	"fmt"
	"time"

	"parley.link/parley/internal/ledger"
	"parley.link/parley/internal/limit"
	"parley.link/parley/internal/session"
)

// Notes that a peer may hand to our people, per second and epoch of the group. A member says ready once an epoch, and attests then and every
// 8 s. What passes here goes to every browser of this side, so that a peer without a bound could fill the way to a slow one, and end it.
//
// Each epoch has a share of its own: people who come and go make many in a second, and a ready that is dropped costs everybody the whole
// wait for it. Epochs are not the peer's to make up, for this node countersigns them, and the link bounds all notes of a peer together.
const (
	notesOfDevice = 8
	notesOfSide   = 2 * session.MaxSeats
)

// notes counts them. Only live members are counted, so its size has the sessions' bounds.
type notes struct{ devices, sides *limit.Window }

func newNotes() notes {
	return notes{devices: limit.NewWindow(notesOfDevice, time.Second), sides: limit.NewWindow(notesOfSide, time.Second)}
}

// allow counts one more, or says that it is too many. What is beyond a device's share does not use up its side's. now in ms.
func (n notes) allow(side ledger.Side, device [32]byte, g session.GroupView, now int64) bool {
	at := time.UnixMilli(now)
	from := fmt.Sprintf("%s %x %d ", side[:], g.ID, g.Epoch)
	return n.devices.Allow(from+string(device[:]), at) && n.sides.Allow(from, at)
}
