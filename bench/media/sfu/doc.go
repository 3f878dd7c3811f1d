//go:build linux

// Package sfu speaks to the servers that are measured: ours and its peers. Each adapter knows one server's signalling, as that server's
// documents describe it, and nothing about how it is installed; none of a peer's code is here.
package sfu
