package seat

import (
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// Sessions are the scopes of this node as a seat sees them.
type Sessions interface {
	// List is what the device may watch.
	List(d Device) []*signalpb.SessionInfo
	// Watch pushes the log from an index on, then what follows, in order, until stop. It pushes entries only while there is room.
	Watch(d Device, scope [32]byte, from uint64, to Watcher) (stop func(), err error)
	// Submit takes an act. answer is called once, soon or later, from any goroutine.
	Submit(d Device, scope [32]byte, signed []byte, answer func(id []byte, index uint64, err error))
	// Relay hands a note to every other member.
	Relay(d Device, scope [32]byte, r *signalpb.Relay) error
}

// Watcher is where a log goes.
type Watcher interface {
	Push(m *signalpb.ToClient)
	Room() bool
}

// Room says whether the device has read most of what it was sent: a long log is sent in pieces, not into the slow reader's bound.
func (s *Seat) Room() bool { return s.sock.Queued() < 4<<20 }

// maxWatching bounds the logs that one device follows at once.
const maxWatching = 8

func (s *Seat) onWatch(w *signalpb.Watch, reply func(*signalpb.ToClient)) error {
	scope, err := scopeOf(w.Scope)
	if err != nil {
		return err
	}
	if stop := s.watching[scope]; stop != nil {
		stop()
		delete(s.watching, scope)
	}
	if !w.Want {
		reply(ack(nil, 0))
		return nil
	}
	if len(s.watching) >= maxWatching {
		return problem.New(problem.TooMany, "what", "watches")
	}
	stop, err := s.cfg.Sessions.Watch(s.Device(), scope, w.FromIndex, s)
	if err != nil {
		return err
	}
	s.watching[scope] = stop
	reply(ack(nil, 0))
	return nil
}

func scopeOf(b []byte) ([32]byte, error) {
	if len(b) != 32 {
		return [32]byte{}, problem.New(problem.Malformed, "what", "scope")
	}
	return [32]byte(b), nil
}

func ack(id []byte, index uint64) *signalpb.ToClient {
	return &signalpb.ToClient{Body: &signalpb.ToClient_Ack{Ack: &signalpb.Ack{Id: id, Index: index}}}
}
