//go:build linux

package sfu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"parley.link/parley/bench/media/light"
)

// janus speaks the videoroom plugin's API over Janus's WebSocket transport (documents "The Janus API" and "VideoRoom plugin"): one connection
// to publish, one to receive all feeds of the room, renegotiated as feeds come.
type janus struct{ address string }

const keepJanus = 20 * time.Second // sessions end after 60 s of silence

type jmap map[string]any

type janusMessage struct {
	Janus       string `json:"janus"`
	Transaction string `json:"transaction"`
	Sender      uint64 `json:"sender"`
	Version     string `json:"version_string"`
	Data        struct{ ID uint64 }
	Error       *struct{ Reason string }
	Jsep        *struct{ Type, SDP string }
	Plugindata  struct {
		Data struct {
			Videoroom  string
			Error      string
			ErrorCode  int `json:"error_code"`
			Publishers []struct{ ID uint64 }
		}
	}
	Candidate json.RawMessage `json:"candidate"`
}

func (j *janus) dial(ctx context.Context) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(ctx, "ws://"+j.address+"/", &websocket.DialOptions{Subprotocols: []string{"janus-protocol"}})
	if err != nil {
		return nil, fmt.Errorf("janus: %w", err)
	}
	conn.SetReadLimit(8 << 20)
	return conn, nil
}

func (j *janus) Version(ctx context.Context) string {
	conn, err := j.dial(ctx)
	if err != nil {
		return ""
	}
	defer conn.CloseNow()
	var m janusMessage
	if writeWhole(ctx, conn, jmap{"janus": "info", "transaction": token(8)}) != nil || wsjson.Read(ctx, conn, &m) != nil {
		return ""
	}
	return m.Version
}

// writeWhole sends a message as one frame: libwebsockets hands Janus no message that ends in an empty one, as wsjson writes it.
func writeWhole(ctx context.Context, conn *websocket.Conn, m jmap) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, b)
}

type janusPerson struct {
	base
	conn    *websocket.Conn
	room    uint64
	session uint64
	feeder  uint64        // handle that publishes and hears of feeds
	taker   uint64        // handle that receives; 0: not yet
	feeds   chan []uint64 // heard of, in order

	asking sync.Mutex
	waits  map[string]chan janusMessage // by transaction
}

func (j *janus) Join(ctx context.Context, l *light.Loop, s Seat) (Person, error) {
	conn, err := j.dial(ctx)
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.Background())
	h := fnv.New32a()
	h.Write([]byte(s.Room))
	p := &janusPerson{conn: conn, room: uint64(h.Sum32()), feeds: make(chan []uint64, 64), waits: map[string]chan janusMessage{}}
	p.stop = stop
	p.wait.Go(func() { p.run(life) })
	if err := p.enter(ctx, life, l, s); err != nil {
		p.Close()
		return nil, fmt.Errorf("janus: %w", err)
	}
	return p, nil
}

func (p *janusPerson) enter(ctx, life context.Context, l *light.Loop, s Seat) error {
	m, err := p.ask(ctx, jmap{"janus": "create"})
	if err != nil {
		return err
	}
	p.session = m.Data.ID
	p.wait.Go(func() { p.runKeep(life) })
	if p.feeder, err = p.attach(ctx); err != nil {
		return err
	}
	_, err = p.tell(ctx, p.feeder, jmap{
		"request": "create", "room": p.room, "publishers": 100, "bitrate": 0, "fir_freq": 0, "audiocodec": "opus", "videocodec": "vp8",
	}, nil)
	if err != nil && !strings.Contains(err.Error(), "already exists") {
		return err
	}
	m, err = p.tell(ctx, p.feeder, jmap{"request": "join", "ptype": "publisher", "room": p.room, "display": s.Name}, nil)
	if err != nil {
		return err
	}
	if s.Listen {
		p.wait.Go(func() { p.runTake(life, l) })
	}
	p.hear(m)
	tracks := s.tracks()
	if len(tracks) == 0 {
		return nil
	}
	if p.up, err = l.NewEnd(); err != nil {
		return err
	}
	m, err = p.tell(ctx, p.feeder, jmap{"request": "publish"}, jmap{"type": "offer", "sdp": p.up.Offer(tracks)})
	if err != nil {
		return err
	}
	if m.Jsep == nil {
		return errors.New("no answer to our offer")
	}
	return p.up.SetAnswer(m.Jsep.SDP)
}

func (p *janusPerson) attach(ctx context.Context) (uint64, error) {
	m, err := p.ask(ctx, jmap{"janus": "attach", "plugin": "janus.plugin.videoroom"})
	return m.Data.ID, err
}

func (p *janusPerson) tell(ctx context.Context, handle uint64, body, jsep jmap) (janusMessage, error) {
	m := jmap{"janus": "message", "handle_id": handle, "body": body}
	if jsep != nil {
		m["jsep"] = jsep
	}
	return p.ask(ctx, m)
}

// ask sends a request and waits for its last answer: an acknowledgement announces an event.
func (p *janusPerson) ask(ctx context.Context, m jmap) (janusMessage, error) {
	t := token(8)
	m["transaction"] = t
	if p.session != 0 {
		m["session_id"] = p.session
	}
	c := make(chan janusMessage, 4)
	p.asking.Lock()
	p.waits[t] = c
	p.asking.Unlock()
	defer func() {
		p.asking.Lock()
		delete(p.waits, t)
		p.asking.Unlock()
	}()
	if err := writeWhole(ctx, p.conn, m); err != nil {
		return janusMessage{}, err
	}
	for {
		select {
		case <-ctx.Done():
			return janusMessage{}, fmt.Errorf("no answer to %v: %w", m, errors.Join(ctx.Err(), p.Err()))
		case a := <-c:
			switch {
			case a.Janus == "ack":
			case a.Error != nil:
				return a, errors.New(a.Error.Reason)
			case a.Plugindata.Data.ErrorCode != 0:
				return a, errors.New(a.Plugindata.Data.Error)
			default:
				return a, nil
			}
		}
	}
}

func (p *janusPerson) hear(m janusMessage) {
	var ids []uint64
	for _, f := range m.Plugindata.Data.Publishers {
		ids = append(ids, f.ID)
	}
	if len(ids) > 0 {
		p.feeds <- ids
	}
}
