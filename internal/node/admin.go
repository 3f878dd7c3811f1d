package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"parley.link/parley/internal/ident"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/side"
	"parley.link/parley/internal/wire/signalpb"
)

// The admin socket is a file of mode 0600 in the data directory: whoever can open it can already read the store. It speaks HTTP,
// answers JSON, and has no way to admit, accredit or revoke anybody: that takes an officer's device.

const maxAdmin = 256 << 10

// LinkAdmin is what `parley link` does, on a running node through its socket or on the store of one that does not run.
type LinkAdmin interface {
	Card(ctx context.Context, address string) ([]byte, error)
	AddCard(ctx context.Context, text []byte, address string) (LinkLine, error)
	VerifyCard(ctx context.Context, name, how, by, typed string) (LinkLine, error)
	ListCards(ctx context.Context) ([]LinkLine, error)
}

// LinkLine is one line of `parley link list`.
type LinkLine struct {
	Side       string            `json:"side"`
	Name       map[string]string `json:"name"`
	State      string            `json:"state"`
	Since      int64             `json:"since,omitempty"`
	RTT        int64             `json:"rtt_us,omitempty"`
	Verified   string            `json:"verified"`
	VerifiedAt int64             `json:"verified_at,omitempty"`
	VerifiedBy string            `json:"verified_by,omitempty"`
	Problem    string            `json:"problem,omitempty"`
	Words      []string          `json:"words"` // of the two sides, ident.PairWords
	Running    bool              `json:"running"`
}

// local is LinkAdmin on the store.
type local struct {
	cards   *Cards
	key     ident.Key
	address string // configured link.announce
	running bool
}

func (l *local) Card(_ context.Context, address string) ([]byte, error) {
	if address == "" {
		address = l.address
	}
	if address == "" {
		return nil, ErrNoAnnounce
	}
	return side.Card(l.cards.own(), l.key, address), nil
}

func (l *local) AddCard(ctx context.Context, text []byte, address string) (LinkLine, error) {
	raw, err := side.CardText(text)
	if err != nil {
		return LinkLine{}, err
	}
	p, err := l.cards.add(ctx, "operator", raw, address)
	if err != nil {
		return LinkLine{}, err
	}
	return l.line(ctx, p.Side)
}

func (l *local) VerifyCard(ctx context.Context, name, how, by, typed string) (LinkLine, error) {
	id, err := l.cards.find(ctx, name)
	if err != nil {
		return LinkLine{}, err
	}
	if typed == "" { // asks only whether there is such a side
		return l.line(ctx, id)
	}
	if err := l.cards.verify(ctx, by, how, id, typed); err != nil {
		return LinkLine{}, err
	}
	return l.line(ctx, id)
}

func (l *local) ListCards(ctx context.Context) ([]LinkLine, error) {
	rows, err := l.cards.store.Links(ctx)
	if err != nil {
		return nil, err
	}
	out := []LinkLine{}
	for _, r := range rows {
		out = append(out, l.lineOf(l.cards.status(r)))
	}
	return out, nil
}

func (l *local) line(ctx context.Context, id []byte) (LinkLine, error) {
	r, err := l.cards.store.LinkOf(ctx, [32]byte(id))
	if err != nil {
		return LinkLine{}, err
	}
	return l.lineOf(l.cards.status(r)), nil
}

func (l *local) lineOf(s *signalpb.Link) LinkLine {
	return LinkLine{
		Side: hex.EncodeToString(s.Side), Name: s.Name, State: s.State, Since: s.Since, RTT: s.RttUs, Verified: s.Verified,
		VerifiedAt: s.VerifiedAt, VerifiedBy: s.VerifiedBy, Problem: s.Problem, Running: l.running,
		Words: ident.PairWords(l.cards.own().ID, [32]byte(s.Side)),
	}
}

// ErrNoAnnounce is returned where a card would have no address.
var ErrNoAnnounce = errors.New("node: no address is configured for the link card")

type adminServer struct {
	http *http.Server
	path string
	done chan struct{}
}

// socketPath keeps under the 108 bytes of sun_path by going through the open directory.
func socketPath(dir string) (path string, release func(), err error) {
	path = filepath.Join(dir, socketFile)
	if len(path) < 100 {
		return path, func() {}, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketFile), func() { _ = f.Close() }, nil
}

func listenAdmin(dir string, h http.Handler) (*adminServer, error) {
	path, release, err := socketPath(dir)
	if err != nil {
		return nil, fmt.Errorf("open the admin socket: %w", err)
	}
	defer release()
	// The store's lock is held: a socket that is there is a dead node's.
	_ = os.Remove(path)
	old := umask(0o177)
	l, err := net.Listen("unix", path)
	umask(old)
	if err != nil {
		return nil, fmt.Errorf("open the admin socket: %w", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the path may go through a closed descriptor
	a := &adminServer{http: &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}, path: filepath.Join(dir, socketFile), done: make(chan struct{})}
	go a.runServe(l)
	return a, nil
}

func (a *adminServer) runServe(l net.Listener) {
	defer close(a.done)
	_ = a.http.Serve(l)
}

func (a *adminServer) stop(ctx context.Context) {
	if a.http.Shutdown(ctx) != nil {
		_ = a.http.Close()
	}
	<-a.done
	_ = os.Remove(a.path)
}

type adminCall struct {
	Text    string `json:"text,omitempty"`
	Address string `json:"address,omitempty"`
	Name    string `json:"name,omitempty"`
	How     string `json:"how,omitempty"`
	By      string `json:"by,omitempty"`
	Typed   string `json:"typed,omitempty"`
}

type adminReply struct {
	Text    string            `json:"text,omitempty"`
	Lines   []LinkLine        `json:"lines,omitempty"`
	Problem string            `json:"problem,omitempty"`
	Params  map[string]string `json:"params,omitempty"`
	Error   string            `json:"error,omitempty"`
}

// adminRoutes are all routes of the admin socket.
func adminRoutes(l LinkAdmin, health func(context.Context) any, metrics func(context.Context, io.Writer)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /link/card", asked(func(ctx context.Context, c adminCall) (r adminReply, err error) {
		text, err := l.Card(ctx, c.Address)
		return adminReply{Text: string(text)}, err
	}))
	mux.HandleFunc("POST /link/add", asked(func(ctx context.Context, c adminCall) (adminReply, error) {
		line, err := l.AddCard(ctx, []byte(c.Text), c.Address)
		return adminReply{Lines: []LinkLine{line}}, err
	}))
	mux.HandleFunc("POST /link/verify", asked(func(ctx context.Context, c adminCall) (adminReply, error) {
		line, err := l.VerifyCard(ctx, c.Name, c.How, c.By, c.Typed)
		return adminReply{Lines: []LinkLine{line}}, err
	}))
	mux.HandleFunc("POST /link/list", asked(func(ctx context.Context, _ adminCall) (adminReply, error) {
		lines, err := l.ListCards(ctx)
		return adminReply{Lines: lines}, err
	}))
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(health(r.Context()))
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		metrics(r.Context(), w)
	})
	return mux
}

func asked(f func(context.Context, adminCall) (adminReply, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var c adminCall
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdmin)).Decode(&c)
		var reply adminReply
		if err == nil {
			reply, err = f(r.Context(), c)
		}
		if err != nil {
			reply = adminReply{Error: err.Error()}
			var p *problem.Error
			if errors.As(err, &p) {
				reply.Problem, reply.Params = string(p.Code), p.Params
			}
			if errors.Is(err, ErrNoAnnounce) {
				reply.Problem = "no-announce"
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply)
	}
}

// AdminClient speaks with a running node.
type AdminClient struct{ http *http.Client }

// ErrNotRunning is returned when no node answers in a data directory.
var ErrNotRunning = errors.New("node: no node runs on this data directory")

// DialAdmin finds the node that runs on a data directory.
func DialAdmin(dir string) (*AdminClient, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		path, release, err := socketPath(dir)
		if err != nil {
			return nil, err
		}
		defer release()
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	c, err := dial(context.Background())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	_ = c.Close()
	return &AdminClient{http: &http.Client{Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableKeepAlives: true,
	}}}, nil
}

func (c *AdminClient) ask(ctx context.Context, route string, call adminCall) (adminReply, error) {
	var reply adminReply
	body, err := json.Marshal(call)
	if err != nil {
		return reply, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node"+route, bytes.NewReader(body))
	if err != nil {
		return reply, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply, fmt.Errorf("ask the running node: %w", err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<20)).Decode(&reply); err != nil {
		return reply, fmt.Errorf("read the running node's answer: %w", err)
	}
	switch {
	case reply.Problem == "no-announce":
		return reply, ErrNoAnnounce
	case reply.Problem != "":
		return reply, &problem.Error{Code: problem.Code(reply.Problem), Params: reply.Params}
	case reply.Error != "":
		return reply, errors.New(reply.Error)
	}
	return reply, nil
}

func first(r adminReply, err error) (LinkLine, error) {
	if err != nil || len(r.Lines) == 0 {
		return LinkLine{}, err
	}
	return r.Lines[0], nil
}

// Card implements LinkAdmin.
func (c *AdminClient) Card(ctx context.Context, address string) ([]byte, error) {
	r, err := c.ask(ctx, "/link/card", adminCall{Address: address})
	return []byte(r.Text), err
}

// AddCard implements LinkAdmin.
func (c *AdminClient) AddCard(ctx context.Context, text []byte, address string) (LinkLine, error) {
	return first(c.ask(ctx, "/link/add", adminCall{Text: string(text), Address: address}))
}

// VerifyCard implements LinkAdmin.
func (c *AdminClient) VerifyCard(ctx context.Context, name, how, by, typed string) (LinkLine, error) {
	return first(c.ask(ctx, "/link/verify", adminCall{Name: name, How: how, By: by, Typed: typed}))
}

// ListCards implements LinkAdmin.
func (c *AdminClient) ListCards(ctx context.Context) ([]LinkLine, error) {
	r, err := c.ask(ctx, "/link/list", adminCall{})
	return r.Lines, err
}

// Get reads /health or /metrics.
func (c *AdminClient) Get(ctx context.Context, route string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://node"+route, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the running node: %w", err)
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, 4<<20))
}
