// Package internal holds the one test about the packages as a whole.
package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "parley.link/parley/"

// Floors, from the ground up. Imports only go down.
const (
	words = iota
	engines
	sockets
	drivers
	seat
	node
	cmd
)

var floorNames = []string{"words", "engines", "sockets", "drivers", "seat", "node", "cmd"}

// floors is every package of the house, also those still to come. A package that is not here fails the test: it must say first
// what it is (docs/architecture.md) and where it stands.
var floors = map[string]int{
	"internal/canon": words, "internal/act": words, "internal/ident": words, "internal/problem": words, "internal/sframe": words,
	"internal/mlsframe": words, "internal/descriptor": words, "internal/wire/signalpb": words, "internal/wire/linkpb": words,

	"internal/session": engines, "internal/ledger": engines, "internal/group": engines, "internal/forward": engines,
	"internal/limit": engines, "internal/allocate": engines, "internal/estimate": engines,

	"internal/udp": sockets, // shared by the drivers that send media: link and rtc

	"internal/store": drivers, "internal/link": drivers, "internal/rtc": drivers, "internal/mlsjs": drivers, "internal/web": drivers,
	"internal/turn": drivers, "internal/synth": drivers,

	"internal/seat": seat, "internal/admin": seat, "internal/native": seat, "internal/office": seat,

	"internal/node": node, "internal/config": node, "internal/side": node, "internal/stage": node,

	"cmd/parley": cmd, "cmd/parley-demo": cmd,
}

// sideways lists the floors whose packages may import each other, and why. Drivers may not: two drivers meet in node, through a
// small interface that the user of it declares, so that each outside thing can be tested and replaced alone.
var sideways = map[int]string{
	words:   "bytes are made of bytes: act and ident stand on canon",
	engines: "ledger and group ask the session engine",
	seat:    "a native participant is driven like a seat",
	node:    "node reads config",
	cmd:     "the demonstration starts the product's commands",
}

// heavy names the one package that may import each outside thing, so that replacing it touches one package.
var heavy = map[string][]string{
	"github.com/quic-go/quic-go":   {"internal/link"},
	"modernc.org/sqlite":           {"internal/store"},
	"github.com/dop251/goja":       {"internal/mlsjs"},
	"filippo.io/mldsa":             {"internal/ident"},
	"github.com/fxamacker/cbor/v2": {"internal/canon"},
	"github.com/pion/turn":         {"internal/turn"},
	"github.com/pion/webrtc/v4":    {"internal/rtc", "internal/native"}, // both ends of a peer connection: ours and a participant's
	"github.com/coder/websocket":   {"internal/web", "internal/native"}, // both ends of the signalling socket
}

// impure lists what engines and words may not import: they own no goroutine, socket, timer or logger, take `now` and return effects.
// (ident marks its keys for slog, that is all.)
var impure = map[string]string{
	"net": "sockets", "net/http": "sockets", "os": "files and environment", "database/sql": "a database", "log": "logs",
}

// clocks are the functions of package time that read or wait for a clock; its types are welcome everywhere.
var clocks = map[string]bool{"Now": true, "Sleep": true, "After": true, "AfterFunc": true, "NewTimer": true, "NewTicker": true,
	"Tick": true, "Since": true, "Until": true}

func TestFloors(t *testing.T) {
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(path, "../"))
		if d.IsDir() {
			switch {
			case path == "..", rel == "internal", rel == "cmd", strings.HasPrefix(rel, "internal/"), strings.HasPrefix(rel, "cmd/"):
				if d.Name() == "testdata" || d.Name() == "node_modules" {
					return filepath.SkipDir
				}
				return nil
			}
			return filepath.SkipDir
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") || filepath.Dir(path) == ".." {
			return nil
		}
		checkFile(t, rel, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// owner finds the listed package that a directory belongs to: itself, or for a subpackage the nearest listed one above it.
func owner(dir string) (string, bool) {
	for d := dir; strings.Contains(d, "/"); d = d[:strings.LastIndex(d, "/")] {
		if _, ok := floors[d]; ok {
			return d, true
		}
	}
	return "", false
}

func checkFile(t *testing.T, rel, path string) {
	dir := rel[:strings.LastIndex(rel, "/")]
	from, ok := owner(dir)
	if !ok {
		t.Errorf("%s: package %s stands on no floor: add it to internal/floors_test.go and, with a sentence, to docs/architecture.md", rel, dir)
		return
	}
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("%s: %v", rel, err)
		return
	}
	for _, spec := range f.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		checkImport(t, rel, from, imported)
	}
	if floors[from] > engines {
		return
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.GoStmt:
			t.Errorf("%s: %s own no goroutine", files.Position(x.Pos()), floorNames[floors[from]])
		case *ast.SelectorExpr:
			if pkg, ok := x.X.(*ast.Ident); ok && pkg.Name == "time" && clocks[x.Sel.Name] {
				t.Errorf("%s: time.%s: %s take `now`", files.Position(x.Pos()), x.Sel.Name, floorNames[floors[from]])
			}
		}
		return true
	})
}

func checkImport(t *testing.T, rel, from, imported string) {
	for dep, users := range heavy {
		if imported == dep || strings.HasPrefix(imported, dep+"/") {
			if !contains(users, from) {
				t.Errorf("%s imports %s: only %s may, so that one package owns each heavy dependency", rel, imported, strings.Join(users, " and "))
			}
		}
	}
	floor := floors[from]
	if why, bad := impure[imported]; bad && floor <= engines {
		t.Errorf("%s imports %s (%s): %s take `now` and return effects", rel, imported, why, floorNames[floor])
	}
	if !strings.HasPrefix(imported, module) {
		return
	}
	target, ok := owner(strings.TrimPrefix(imported, module))
	if !ok || target == from {
		return // an unlisted target is reported by its own files
	}
	switch to := floors[target]; {
	case to > floor:
		t.Errorf("%s (%s, floor %s) imports %s (floor %s): imports only go down; declare a small interface where it is used", rel, from, floorNames[floor], target, floorNames[to])
	case to == floor && sideways[floor] == "":
		t.Errorf("%s imports %s: no sideways imports on floor %s; they meet in node", rel, target, floorNames[floor])
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
