package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a machine without the database must not refuse a good setting

	"parley.link/parley/internal/ident"
)

// setting is one line of the table below. A value is text wherever it comes from: file, environment or flag.
type setting struct {
	name    string // as in the file, with its table: web.listen
	help    string
	example string // of the value, as TOML
	set     func(*Config, string) error
	list    bool
	toggle  bool
}

func (s setting) env() string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(s.name, ".", "_"))
}
func (s setting) flag() string { return strings.ReplaceAll(s.name, ".", "-") }

var settings = []setting{
	{name: "data", help: "directory of the node's key, store and admin socket", example: `"/var/lib/parley"`,
		set: func(c *Config, v string) error { c.Data = v; return notEmpty(v) }},
	{name: "zone", help: "time zone of this side's capital, shown on both sides' clocks", example: `"Europe/Vienna"`,
		set: func(c *Config, v string) error { c.Zone = v; return zone(v) }},
	{name: "web.listen", help: "address of the HTTPS server that own people's browsers reach", example: `"0.0.0.0:8443"`,
		set: func(c *Config, v string) error { c.Web.Listen = v; return hostPort(v) }},
	{name: "web.cert", help: "certificate chain (PEM file); without it a self-signed one is made and kept", example: `"/etc/parley/node.pem"`,
		set: func(c *Config, v string) error { c.Web.Cert = v; return readable(v) }},
	{name: "web.key", help: "private key of web.cert (PEM file)", example: `"/etc/parley/node.key"`,
		set: func(c *Config, v string) error { c.Web.Key = v; return readable(v) }},
	{name: "web.names", help: "names and addresses that the self-signed certificate is for", example: `["parley.velmark.example", "192.0.2.7"]`, list: true,
		set: func(c *Config, v string) error { c.Web.Names = split(v); return nil }},
	{name: "web.plain", help: "serve plain HTTP; only on a loopback address", example: `true`, toggle: true,
		set: func(c *Config, v string) (err error) { c.Web.Plain, err = boolean(v); return err }},
	{name: "media.udp", help: "address that people's media arrives at (UDP)", example: `"0.0.0.0:7700"`,
		set: func(c *Config, v string) error { c.Media.UDP = v; return hostPort(v) }},
	{name: "media.tcp", help: "fallback for people whose network blocks UDP; \"\" for none", example: `"0.0.0.0:7700"`,
		set: func(c *Config, v string) error { c.Media.TCP = v; return hostPortOrNone(v) }},
	{name: "media.announce", help: "addresses told to browsers, when they differ from the machine's own", example: `["192.0.2.7"]`, list: true,
		set: func(c *Config, v string) error { c.Media.Announce = split(v); return addresses(c.Media.Announce) }},
	{name: "turn.listen", help: "address of the embedded TURN relay (UDP and TCP); \"\" for none", example: `"0.0.0.0:7478"`,
		set: func(c *Config, v string) error { c.Turn.Listen = v; return hostPortOrNone(v) }},
	{name: "turn.announce", help: "address of the relay told to browsers, when it differs from media.announce", example: `["192.0.2.7"]`, list: true,
		set: func(c *Config, v string) error { c.Turn.Announce = split(v); return addresses(c.Turn.Announce) }},
	{name: "link.listen", help: "address that other sides' nodes reach (UDP)", example: `"0.0.0.0:7443"`,
		set: func(c *Config, v string) error { c.Link.Listen = v; return hostPort(v) }},
	{name: "link.announce", help: "address written into this node's link card", example: `"parley.velmark.example:7443"`,
		set: func(c *Config, v string) error { c.Link.Announce = v; return hostPort(v) }},
	{name: "log.level", help: "debug, info, warn or error", example: `"info"`,
		set: func(c *Config, v string) error { c.Log.Level = v; return oneOf(v, "debug", "info", "warn", "error") }},
}

func settingNamed(name string) (setting, bool) {
	for _, s := range settings {
		if s.name == name {
			return s, true
		}
	}
	return setting{}, false
}

func notEmpty(v string) error {
	if v == "" {
		return errors.New("is empty")
	}
	return nil
}

// zone accepts what the time zone database of this binary has. "Local" is the machine's own: it would be another one on every reader's.
func zone(v string) error {
	if v == "" {
		return nil
	}
	if _, err := time.LoadLocation(v); err != nil || v == "Local" || !ident.IsZone(v) {
		return errors.New("is no time zone of the IANA database (continent/city)")
	}
	return nil
}

func hostPort(v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("is not an address with a port")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("has the port %q, which is not a number from 0 to 65535", port)
	}
	if strings.ContainsAny(host, " /") {
		return fmt.Errorf("has the host %q, which is neither a name nor an address", host)
	}
	return nil
}

func hostPortOrNone(v string) error {
	if v == "" {
		return nil
	}
	return hostPort(v)
}

func addresses(list []string) error {
	for _, a := range list {
		if _, err := netip.ParseAddr(a); err != nil {
			return fmt.Errorf("has %q, which is not an IP address", a)
		}
	}
	return nil
}

func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot be read (%w)", err)
	}
	return f.Close()
}

func boolean(v string) (bool, error) {
	switch v {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("is neither true nor false")
}

func oneOf(v string, valid ...string) error {
	for _, w := range valid {
		if v == w {
			return nil
		}
	}
	return fmt.Errorf("is not one of %s", strings.Join(valid, ", "))
}

func split(v string) []string {
	var out []string
	for _, p := range strings.Split(v, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}
