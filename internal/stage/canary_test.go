package stage

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley.link/parley/internal/native"
	"parley.link/parley/internal/synth"
)

// pieceSize is how many bytes of content in one place are content: no chance repeats 24 bytes.
const pieceSize = 24

// pieces is what is looked for.
type pieces struct {
	of    map[[8]byte][]piece
	first [1 << 16]bool // by the first two bytes
}

type piece struct {
	name  string
	bytes []byte
}

func (p *pieces) add(name string, b []byte) {
	if p.of == nil {
		p.of = map[[8]byte][]piece{}
	}
	different := map[byte]bool{}
	for _, c := range b {
		different[c] = true
	}
	if len(b) < pieceSize || len(different) < pieceSize/2 {
		return // a run of zeros is nobody's content
	}
	k := [8]byte(b)
	p.of[k] = append(p.of[k], piece{name, bytes.Clone(b)})
	p.first[uint16(b[0])<<8|uint16(b[1])] = true
}

// scan counts what is in b, by name.
func (p *pieces) scan(b []byte, found map[string]int) {
	for i := 0; i+8 <= len(b); i++ {
		if !p.first[uint16(b[i])<<8|uint16(b[i+1])] {
			continue
		}
		for _, x := range p.of[[8]byte(b[i:])] {
			if bytes.HasPrefix(b[i:], x.bytes) {
				found[x.name]++
			}
		}
	}
}

// memory scans everything that a process can read of itself.
func (p *pieces) memory(t *testing.T, pid int, found map[string]int) (total int) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	const step, overlap = 4 << 20, 256
	b := make([]byte, step+overlap)
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || mode[0] != 'r' || strings.Contains(line, "[v") {
			continue
		}
		for at := from; at < to; at += step {
			n, err := mem.ReadAt(b[:min(int64(len(b)), to-at)], at)
			if n == 0 && err != nil {
				break // a guard, or gone meanwhile
			}
			p.scan(b[:n], found)
			total += n
		}
	}
	return total
}

// files scans everything under a directory.
func (p *pieces) files(t *testing.T, dir string, found map[string]int) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		p.scan(b, found)
		names = append(names, filepath.Base(path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Content never appears in any node's memory, on its disk, in its log, or on the link, while the far side gets all of it. That the
// scanner finds what is there is shown by the session's title, and by the participants' own memory.
func TestCanary(t *testing.T) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	word := []byte("canary " + hex.EncodeToString(secret[:16]))
	known := "known " + hex.EncodeToString(secret[16:])
	c := newCable(t)
	s := summit(t, 2, c.plug, func(cfg *Config) { cfg.Title = map[string]string{"en": known, "ar": known} })
	var actors []*actor
	var secrets, title pieces
	secrets.add("canary word", word)
	title.add("title", []byte(known))
	for _, sd := range s.Sides {
		for _, p := range sd.Cast.People {
			actors = append(actors, enter(t, s, sd, p, func(n *native.Config) { n.Canary = word }))
			tone, err := synth.NewTone(synth.ToneOf(p.Number))
			if err != nil {
				t.Fatal(err)
			}
			for i := range uint64(50) {
				f := tone.Frame(i)
				secrets.add("canary tone of "+p.ID, f[len(f)/4:][:pieceSize])
				secrets.add("canary tone of "+p.ID, f[len(f)-pieceSize:])
			}
			v := synth.NewVideo(p.Number, p.Initials, 10)
			for i := range synth.Loop {
				f, err := v.Frame(i)
				if err != nil {
					t.Fatal(err)
				}
				secrets.add("picture of "+p.ID, f[len(f)/2:][:pieceSize])
				secrets.add("picture of "+p.ID, f[len(f)-pieceSize:])
			}
		}
	}
	wait(t, 30*time.Second, agree(actors))
	wait(t, 20*time.Second, all(actors, func(a *actor) string { return a.perceives(actors) }))
	wait(t, 20*time.Second, all(actors, func(a *actor) string {
		if n := a.Canaries(); n < 50 {
			return fmt.Sprintf("%s opened %d pictures with the canary", a.person.ID, n)
		}
		if n := len(c.bytes()); n < 500<<10 {
			return fmt.Sprintf("only %d bytes went over the link", n)
		}
		return ""
	}))
	found, control := map[string]int{}, map[string]int{}
	for _, sd := range s.Sides {
		n := secrets.memory(t, sd.Node.PID(), found)
		title.memory(t, sd.Node.PID(), control)
		if control["title"] == 0 {
			t.Errorf("the scanner does not find the title in %d bytes of memory of %s", n, sd.Cast.ID)
		}
		t.Logf("%s: %d MiB of memory, title found %d times", sd.Cast.ID, n>>20, control["title"])
		clear(control)
		names := secrets.files(t, sd.Data, found)
		title.files(t, sd.Data, control)
		if control["title"] == 0 {
			t.Errorf("the scanner does not find the title in the files of %s: %v", sd.Cast.ID, names)
		}
		t.Logf("%s: files %v, title found %d times", sd.Cast.ID, names, control["title"])
		clear(control)
	}
	link := c.bytes()
	secrets.scan(link, found)
	title.scan(link, found) // control data is nobody's on the wire either
	t.Logf("link: %d bytes in %d packets", len(link), c.packets)
	if len(found) != 0 {
		t.Errorf("content was found: %v", found)
	}
	secrets.memory(t, os.Getpid(), control)
	if control["canary word"] == 0 || control["canary tone of v-prin"] == 0 || control["picture of q-prin"] == 0 {
		t.Errorf("the scanner does not find content where it must be: %v", control)
	}
	for _, a := range actors {
		t.Logf("%s opened %d pictures with the canary", a.person.ID, a.Canaries())
	}
}
