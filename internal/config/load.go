package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxFile bounds the configuration file: a mistaken path must not fill memory.
const maxFile = 64 << 10

// Error is a setting that cannot be used.
type Error struct {
	Setting string // its name, e.g. web.listen
	Source  string // file:line, an environment variable, or a flag
	Reason  string // continues "the setting …"
	Example string // a valid line of the file
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: the setting %s %s", e.Source, e.Setting, e.Reason)
	if e.Example != "" {
		s += "\n  a valid example: " + e.Example
	}
	return s
}

// Flags declares every setting as a flag of fs and returns what collects their values.
func Flags(fs *flag.FlagSet) *FlagValues {
	v := &FlagValues{given: map[string]string{}}
	fs.StringVar(&v.file, "config", "", "configuration `file` (default parley.toml if it is there)")
	for _, s := range settings {
		name := s.name
		keep := func(text string) error { v.given[name] = text; return nil }
		if s.toggle {
			fs.BoolFunc(s.flag(), s.help, keep)
		} else {
			fs.Func(s.flag(), s.help+"; e.g. `"+strings.Trim(s.example, `"`)+"`", keep)
		}
	}
	return v
}

// FlagValues holds the flags that were given.
type FlagValues struct {
	file  string
	given map[string]string
}

// Load reads file, environment and flags, in that order, and checks the whole.
// getenv is os.Getenv, or a test's own.
func Load(flags *FlagValues, getenv func(string) string) (Config, error) {
	c := Default()
	source := map[string]string{}
	if err := loadFile(&c, flags, getenv, source); err != nil {
		return c, err
	}
	for _, s := range settings {
		if v := getenv(s.env()); v != "" {
			if err := apply(&c, s, v, "environment variable "+s.env(), source); err != nil {
				return c, err
			}
		}
	}
	for _, s := range settings {
		if v, ok := flags.given[s.name]; ok {
			if err := apply(&c, s, v, "flag --"+s.flag(), source); err != nil {
				return c, err
			}
		}
	}
	return c, check(c, source)
}

func apply(c *Config, s setting, v, from string, source map[string]string) error {
	source[s.name] = from
	if err := s.set(c, v); err != nil {
		return &Error{Setting: s.name, Source: from, Reason: fmt.Sprintf("is %q; that %v", v, err), Example: line(s)}
	}
	return nil
}

func line(s setting) string {
	table, key, ok := strings.Cut(s.name, ".")
	if !ok {
		return s.name + " = " + s.example
	}
	return key + " = " + s.example + "   under [" + table + "]"
}

func loadFile(c *Config, flags *FlagValues, getenv func(string) string, source map[string]string) error {
	path, asked := flags.file, true
	if path == "" {
		path = getenv("PARLEY_CONFIG")
	}
	if path == "" {
		path, asked = "parley.toml", false
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) && !asked {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the configuration file: %w\n  a valid example: parley serve --config /etc/parley/parley.toml", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return fmt.Errorf("read the configuration file: %w", err)
	}
	if len(text) > maxFile {
		return fmt.Errorf("%s is larger than %d KiB; that is not a configuration file", path, maxFile>>10)
	}
	return fromTOML(c, path, string(text), source)
}

func fromTOML(c *Config, path, text string, source map[string]string) error {
	tree := map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		var p toml.ParseError
		if errors.As(err, &p) {
			return &Error{Setting: p.LastKey, Source: fmt.Sprintf("%s:%d", path, p.Position.Line), Reason: "cannot be read: " + p.Message,
				Example: `listen = "0.0.0.0:8443"   under [web]`}
		}
		return fmt.Errorf("read %s: %w", path, err)
	}
	flat := map[string]any{}
	for _, k := range sortedKeys(tree) {
		if table, ok := tree[k].(map[string]any); ok {
			for _, k2 := range sortedKeys(table) {
				flat[k+"."+k2] = table[k2]
			}
		} else {
			flat[k] = tree[k]
		}
	}
	for _, name := range sortedKeys(flat) {
		from := fmt.Sprintf("%s:%d", path, lineOf(text, name))
		s, ok := settingNamed(name)
		if !ok {
			near, _ := settingNamed(nearest(name))
			return &Error{Setting: name, Source: from, Reason: "does not exist; the nearest is " + near.name, Example: line(near)}
		}
		v, err := textOf(flat[name], s)
		if err != nil {
			return &Error{Setting: name, Source: from, Reason: err.Error(), Example: line(s)}
		}
		if err := apply(c, s, v, from, source); err != nil {
			return err
		}
	}
	return nil
}

// textOf turns a TOML value of the right type into the text that the environment or a flag would give.
func textOf(v any, s setting) (string, error) {
	switch v := v.(type) {
	case string:
		if !s.toggle {
			return v, nil
		}
	case bool:
		if s.toggle {
			return fmt.Sprint(v), nil
		}
	case []any:
		parts := make([]string, 0, len(v))
		for _, p := range v {
			t, ok := p.(string)
			if !ok || !s.list {
				return "", errors.New("has a value of the wrong type")
			}
			parts = append(parts, t)
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("has a value of the wrong type")
}

// check holds what concerns two settings at once.
func check(c Config, source map[string]string) error {
	from := func(name string) string {
		if s := source[name]; s != "" {
			return s
		}
		return "default"
	}
	if (c.Web.Cert == "") != (c.Web.Key == "") {
		have, miss := "web.cert", "web.key"
		if c.Web.Cert == "" {
			have, miss = miss, have
		}
		s, _ := settingNamed(miss)
		return &Error{Setting: have, Source: from(have), Reason: "is given without " + miss, Example: line(s)}
	}
	if c.Web.Plain && !Loopback(c.Web.Listen) {
		return &Error{Setting: "web.plain", Source: from("web.plain"), Example: `listen = "127.0.0.1:8080"   under [web], together with plain = true`,
			Reason: fmt.Sprintf("is true while web.listen is %q (%s); plain HTTP shows everything to the network, so it is allowed only on a loopback address", c.Web.Listen, from("web.listen"))}
	}
	return nil
}

// Loopback reports whether an address can be reached from this machine only.
func Loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
