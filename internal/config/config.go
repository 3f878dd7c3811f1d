// Package config reads the settings of a node: one small TOML file, then PARLEY_* in the environment, then flags; the later
// wins. Every error names the setting, where its value came from and a valid example, so that nobody has to guess.
package config

// Version is what the binary reports; the build sets it to the commit.
var Version = "unversioned"

// Config is everything a node can be told. Package node hands each package its own small part.
type Config struct {
	Data  string // directory of the node's key, store and socket
	Zone  string // IANA time zone of the side's capital, for everybody's clocks; "" for none
	Web   Web
	Media Media
	Turn  Turn
	Link  Link
	Log   Log
}

// Web is the address that people's browsers reach.
type Web struct {
	Listen string   // host:port, TCP
	Cert   string   // PEM file; empty with Key: a self-signed certificate is made and kept
	Key    string   // PEM file
	Names  []string // names and addresses the self-signed certificate is for
	Plain  bool     // HTTP without TLS; refused unless Listen is a loopback address
}

// Media is where the packets of own people arrive.
type Media struct {
	UDP      string   // host:port
	TCP      string   // host:port, or "" for none
	Announce []string // addresses told to browsers; empty: those of the machine
}

// Turn is the embedded relay for people behind firewalls.
type Turn struct {
	Listen   string   // host:port, UDP and TCP, or "" for none
	Announce []string // addresses told to browsers; empty: those of Media
}

// Link is where the nodes of other sides reach this one.
type Link struct {
	Listen   string // host:port, UDP
	Announce string // host:port written into the link card
}

// Log says how much the node writes about itself.
type Log struct {
	Level string // debug, info, warn, error
}

// Default is the configuration of a node that was told nothing.
func Default() Config {
	return Config{
		Data:  "parley-data",
		Web:   Web{Listen: ":8443"},
		Media: Media{UDP: ":7700", TCP: ":7700"},
		Turn:  Turn{Listen: ":7478"},
		Link:  Link{Listen: ":7443"},
		Log:   Log{Level: "info"},
	}
}
