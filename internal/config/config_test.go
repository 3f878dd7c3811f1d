package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func load(t *testing.T, file string, env map[string]string, args ...string) (Config, error) {
	t.Helper()
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	v := Flags(fs)
	if file != "" {
		path := filepath.Join(t.TempDir(), "parley.toml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append([]string{"--config", path}, args...)
	}
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(v, func(k string) string { return env[k] })
}

func TestLaterSourceWins(t *testing.T) {
	file := "data = \"/f\"\n[web]\nlisten = \":1\"\n[media]\nannounce = [\"192.0.2.1\", \"2001:db8::1\"]\n"
	c, err := load(t, file, map[string]string{"PARLEY_WEB_LISTEN": ":2", "PARLEY_LINK_LISTEN": ":3"}, "--link-listen", ":4")
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "/f" || c.Web.Listen != ":2" || c.Link.Listen != ":4" || len(c.Media.Announce) != 2 {
		t.Fatalf("got %+v", c)
	}
}

func TestErrorsNameSettingSourceAndExample(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		env        map[string]string
		args       []string
		want       []string
	}{
		{"unknown key", "data=\"/f\"\n[web]\nlisen = \":1\"\n", nil, nil, []string{"parley.toml:3", "web.lisen", "nearest is web.listen", `listen = "0.0.0.0:8443"`}},
		{"key outside its table", "listen = \":1\"\n", nil, nil, []string{"parley.toml:1", "nearest is web.listen"}},
		{"wrong type", "[web]\nlisten = 8443\n", nil, nil, []string{"parley.toml:2", "web.listen", "wrong type", "0.0.0.0:8443"}},
		{"not toml", "[web]\nlisten = \n", nil, nil, []string{"parley.toml:2", "listen"}},
		{"bad port in env", "", map[string]string{"PARLEY_MEDIA_UDP": "x:99999"}, nil, []string{"environment variable PARLEY_MEDIA_UDP", "media.udp", "65535", "0.0.0.0:7700"}},
		{"bad address in flag", "", nil, []string{"--media-announce", "here"}, []string{"flag --media-announce", "not an IP address", "192.0.2.7"}},
		{"plain not on loopback", "", nil, []string{"--web-plain", "--web-listen", ":80"}, []string{"flag --web-plain", "loopback", "127.0.0.1:8080"}},
		{"key without cert", "", nil, []string{"--web-cert", "config_test.go"}, []string{"web.cert", "without web.key"}},
		{"zone that is none", "zone = \"Europe/Velmark\"\n", nil, nil, []string{"parley.toml:1", "zone", "IANA", "Europe/Vienna"}},
		{"the machine's own zone", "", map[string]string{"PARLEY_ZONE": "Local"}, nil, []string{"environment variable PARLEY_ZONE", "zone", "IANA"}},
		{"zone with a way out", "", nil, []string{"--zone", "../etc/localtime"}, []string{"flag --zone", "IANA"}},
		{"level", "[log]\nlevel=\"loud\"\n", nil, nil, []string{"parley.toml:2", "log.level", "debug"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, tt.file, tt.env, tt.args...)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("want an Error, got %v", err)
			}
			for _, w := range append(tt.want, "a valid example") {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
		})
	}
}

// Every example in the table must itself be accepted, or the messages would teach errors.
func TestExamplesAreValid(t *testing.T) {
	for _, s := range settings {
		if s.name == "web.cert" || s.name == "web.key" {
			continue // need files
		}
		table, key, ok := strings.Cut(s.name, ".")
		text := "[" + table + "]\n" + key + " = " + s.example
		if !ok {
			text = s.name + " = " + s.example
		}
		c := Default()
		if err := fromTOML(&c, "x", text, map[string]string{}); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add("data = \"/f\"\n[web]\nlisten = \":1\"\n")
	f.Add("[web]\nplain = true\nnames = [\"a\"]\n")
	f.Add("[media.announce]\nx = 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := Default()
		_ = fromTOML(&c, "x", text, map[string]string{})
	})
}
