package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"parley.link/parley/internal/node"
)

// Process is one `parley serve`.
type Process struct {
	binary string
	args   []string
	data   string
	logTo  string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Ports are where a node listens, all on 127.0.0.1.
type Ports struct{ Web, Media, Turn, Link int }

// FreePorts finds ports that nobody uses now, TCP and UDP alike.
func FreePorts() (p Ports, err error) {
	for _, to := range []*int{&p.Web, &p.Media, &p.Turn, &p.Link} {
		if *to, err = FreePort(); err != nil {
			return p, err
		}
	}
	return p, nil
}

// Nodes listen below the ports that the system gives to connections: one of those could take a node's port between two starts of it, or before the
// first. Each port is given once by this process, and another process begins elsewhere.
const (
	firstPort = 12_000
	ports     = 20_000
)

var nextPort atomic.Uint32

func init() { nextPort.Store(rand.Uint32N(ports)) }

// FreePort finds a port that nobody uses now, TCP and UDP alike.
func FreePort() (int, error) {
	for range 50 {
		port := firstPort + int(nextPort.Add(1)%ports)
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		_ = l.Close()
		if err == nil {
			_ = u.Close()
			return port, nil
		}
	}
	return 0, errors.New("find a free port: none")
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

func newProcess(binary, data string, p Ports, announce string) *Process {
	at := loopback
	return &Process{binary: binary, data: data, logTo: filepath.Join(data, "node.log"), args: []string{"serve",
		"--data", data, "--web-listen", at(p.Web), "--web-plain",
		"--media-udp", at(p.Media), "--media-tcp", at(p.Media), "--media-announce", "127.0.0.1",
		"--turn-listen", at(p.Turn), "--link-listen", at(p.Link), "--link-announce", announce}}
}

// Start runs the node and waits until its admin socket answers.
func (p *Process) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	out, err := os.OpenFile(p.logTo, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the node's log: %w", err)
	}
	defer out.Close()
	cmd := exec.Command(p.binary, p.args...)
	cmd.Stdout, cmd.Stderr = out, out
	// The node ends with whoever raised it, also if that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.binary, err)
	}
	p.cmd, p.done, p.err = cmd, make(chan struct{}), nil
	done := p.done
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(done)
	}()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case <-done:
			return fmt.Errorf("the node of %s ended at once: %s", p.data, p.tail())
		case <-deadline:
			return fmt.Errorf("the node of %s does not answer after 20 s: %s", p.data, p.tail())
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
			if c, err := node.DialAdmin(p.data); err == nil {
				if _, err := c.Get(ctx, "/health"); err == nil {
					return nil
				}
			}
		}
	}
}

// Stop asks the node to stop and waits.
func (p *Process) Stop() error { return p.signal(syscall.SIGTERM) }

// Kill is kill -9.
func (p *Process) Kill() error { return p.signal(syscall.SIGKILL) }

// PID is the process id of the running node, 0 if it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.cmd.Process == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Done closes when the present run has ended.
func (p *Process) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

func (p *Process) signal(s syscall.Signal) error {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	_ = cmd.Process.Signal(s)
	select {
	case <-done:
		return nil
	case <-time.After(15 * time.Second):
		_ = cmd.Process.Kill()
		<-done
		return fmt.Errorf("the node of %s did not stop by itself", p.data)
	}
}

// tail is the end of the node's log.
func (p *Process) tail() string {
	b, err := os.ReadFile(p.logTo)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}
