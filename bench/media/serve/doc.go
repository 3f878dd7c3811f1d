//go:build linux

// Package serve is Parley's media engine alone, as a process to be measured: rtc.Engine, package forward and package link, joined as
// internal/node joins them. What the node has above it is not there: no log, no admission, no seat, no sealing (which the node never sees
// anyway). Rooms stand for sessions: everybody in a room who receives gets every track of the others.
//
// Signalling is lines of JSON over TCP, on loopback, without any protection: it is for bench/media and for nothing else.
package serve
