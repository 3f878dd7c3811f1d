//go:build linux

package sfu

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"

	"parley.link/parley/bench/media/light"
)

// livekit speaks LiveKit's signalling over /rtc, with the messages of livekitwords.go. The server must know the key pair below, which is
// the one that its own `--dev` mode uses.
type livekit struct{ address string }

// LiveKitKey and LiveKitSecret are the key pair of `livekit-server --dev`.
const (
	LiveKitKey    = "devkey"
	LiveKitSecret = "secret"
)

// token is an access token: a JWT with HMAC-SHA256 (RFC 7519, RFC 7515 §A.1) that carries LiveKit's video grant.
func (*livekit) token(s Seat) string {
	part := func(v any) string {
		b, _ := json.Marshal(v) // maps of strings, numbers and bools
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := time.Now()
	head := part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": LiveKitKey, "sub": s.Name, "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
		"video": map[string]any{"roomJoin": true, "room": s.Room, "canPublish": s.Audio || s.Video, "canSubscribe": s.Listen},
	})
	m := hmac.New(sha256.New, []byte(LiveKitSecret))
	m.Write([]byte(head))
	return head + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Version comes with the first join.
func (k *livekit) Version(ctx context.Context) string {
	conn, err := k.dial(ctx, Seat{Room: "version", Name: "version", Listen: true})
	if err != nil {
		return ""
	}
	defer conn.CloseNow()
	for {
		_, b, err := conn.Read(ctx)
		if err != nil {
			return ""
		}
		if join := field(b, respJoin); join != nil {
			return string(field(field(join, joinServer), serverVersion))
		}
	}
}

func (k *livekit) dial(ctx context.Context, s Seat) (*websocket.Conn, error) {
	q := url.Values{"access_token": {k.token(s)}, "protocol": {"15"}, "auto_subscribe": {"1"}, "sdk": {"go"}, "version": {"2.0.0"}}
	conn, _, err := websocket.Dial(ctx, "ws://"+k.address+"/rtc?"+q.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("livekit: %w", err)
	}
	conn.SetReadLimit(8 << 20)
	return conn, nil
}

type livekitPerson struct {
	base
	conn      *websocket.Conn
	published chan struct{}
	answered  chan error

	taking  sync.Mutex // guards what follows
	down    *light.End
	early   []string // candidates that came before the first offer
	pending int      // tracks to be confirmed
}

func (k *livekit) Join(ctx context.Context, l *light.Loop, s Seat) (Person, error) {
	conn, err := k.dial(ctx, s)
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.Background())
	tracks := s.tracks()
	p := &livekitPerson{conn: conn, published: make(chan struct{}), answered: make(chan error, 1), pending: len(tracks)}
	p.stop = stop
	if len(tracks) > 0 {
		if p.up, err = l.NewEnd(); err != nil {
			stop()
			return nil, err
		}
	}
	joined := make(chan struct{})
	p.wait.Go(func() { p.run(life, l, joined) })
	p.wait.Go(func() { p.runPing(life) })
	if err := p.enter(ctx, tracks, joined); err != nil {
		p.Close()
		return nil, fmt.Errorf("livekit: %w", err)
	}
	return p, nil
}

func (p *livekitPerson) enter(ctx context.Context, tracks []light.Track, joined <-chan struct{}) error {
	wait := func(c <-chan struct{}) error {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), p.Err())
		case <-c:
			return nil
		}
	}
	if err := wait(joined); err != nil || p.up == nil {
		return err
	}
	for _, t := range tracks {
		if err := p.say(ctx, addTrack(t.Name, t.Kind == light.Video)); err != nil {
			return err
		}
	}
	if err := wait(p.published); err != nil {
		return err
	}
	if err := p.say(ctx, message(reqOffer, description("offer", p.up.Offer(tracks), 0))); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.Err())
	case err := <-p.answered:
		return err
	}
}

func (p *livekitPerson) say(ctx context.Context, b []byte) error {
	return p.conn.Write(ctx, websocket.MessageBinary, b)
}

// runPing keeps the server from taking us for gone.
func (p *livekitPerson) runPing(ctx context.Context) {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			_ = p.say(ctx, ping(now.UnixMilli()))
		}
	}
}

func (p *livekitPerson) run(ctx context.Context, l *light.Loop, joined chan struct{}) {
	defer p.conn.CloseNow()
	for {
		_, b, err := p.conn.Read(ctx)
		if err != nil {
			if ctx.Err() == nil {
				p.fail(fmt.Errorf("livekit: %w: %w", errGone, err))
			}
			return
		}
		if field(b, respJoin) != nil {
			close(joined)
		} else if err := p.take(ctx, l, b); err != nil {
			p.fail(fmt.Errorf("livekit: %w", err))
		}
	}
}

func (p *livekitPerson) take(ctx context.Context, l *light.Loop, b []byte) error {
	p.taking.Lock()
	defer p.taking.Unlock()
	switch {
	case field(b, respPublished) != nil:
		if p.pending--; p.pending == 0 {
			close(p.published)
		}
	case field(b, respAnswer) != nil:
		p.answered <- p.up.SetAnswer(string(field(field(b, respAnswer), descriptionSDP)))
	case field(b, respOffer) != nil:
		offer := field(b, respOffer)
		if p.down == nil {
			var err error
			if p.down, err = l.NewEnd(); err != nil {
				return err
			}
			p.base.down(p.down)
		}
		sdp, err := p.down.Answer(string(field(offer, descriptionSDP)))
		if err != nil {
			return err
		}
		for _, c := range p.early {
			p.down.AddCandidate(c)
		}
		p.early = nil
		return p.say(ctx, message(reqAnswer, description("answer", sdp, number(offer, descriptionID))))
	case field(b, respTrickle) != nil:
		t := field(b, respTrickle)
		var c struct {
			Candidate string `json:"candidate"`
		}
		if json.Unmarshal(field(t, trickleCandidate), &c) != nil || c.Candidate == "" {
			return nil
		}
		switch {
		case number(t, trickleTarget) == targetPublisher && p.up != nil:
			p.up.AddCandidate(c.Candidate)
		case p.down != nil:
			p.down.AddCandidate(c.Candidate)
		default:
			p.early = append(p.early, c.Candidate)
		}
	case field(b, respLeave) != nil:
		return errors.New("the server tells us to leave")
	}
	return nil
}

func (p *livekitPerson) Close() { p.close() }
