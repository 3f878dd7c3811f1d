package ident

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"strings"

	"parley.link/parley/internal/canon"
)

// Hash contexts of what people compare.
const (
	contextDeviceWords = "parley device-words v1"
	contextFingerprint = "parley link-fingerprint v1"
	contextPair        = "parley pair-fingerprint v1"
)

//go:embed words.txt
var wordFile string // the BIP-39 English list: 2048 words, four letters suffice to tell them apart

var words = strings.Fields(wordFile)

// Words writes the first n × 11 bits of b, most significant bit first, as words. b holds at least that many bits.
func Words(b []byte, n int) []string {
	out := make([]string, 0, n)
	acc, bits, at := 0, 0, 0
	for len(out) < n {
		for bits < 11 {
			acc = acc<<8 | int(b[at])
			at++
			bits += 8
		}
		bits -= 11
		out = append(out, words[acc>>bits&2047])
		acc &= 1<<bits - 1
	}
	return out
}

// DeviceWords are the six words (66 bits) that a person reads to an officer when enrolling.
func DeviceWords(device []byte) []string {
	h := sha256.Sum256(canon.Message(contextDeviceWords, device))
	return Words(h[:], 6)
}

// PairWords are the six words (66 bits) of two sides, by their ids and so by their delegation keys: the same at both, in every session, for as
// long as neither key changes. The order of the two does not matter.
func PairWords(a, b [32]byte) []string {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	h := sha256.Sum256(canon.Message(contextPair, append(a[:], b[:]...)))
	return Words(h[:], 6)
}

// LinkFingerprint is what two sides compare by hand before a link is verified.
type LinkFingerprint struct {
	Digits string   // 8 groups of 5 digits, joined by spaces: 132 bits
	Words  []string // 6 words of the same hash, for a voice
}

// Fingerprint is over a side's delegation key and its node key: a swapped one of either changes it.
func Fingerprint(k DelegationKey, node []byte) LinkFingerprint {
	h := sha256.Sum256(canon.Message(contextFingerprint, append(canon.Encode(k), node...)))
	groups := make([]string, 8)
	for i := range groups {
		// Each group is its own 4 bytes mod 10^5: the bias is below 2^-15 a group.
		v := uint32(h[4*i])<<24 | uint32(h[4*i+1])<<16 | uint32(h[4*i+2])<<8 | uint32(h[4*i+3])
		groups[i] = fmt.Sprintf("%05d", v%100000)
	}
	return LinkFingerprint{Digits: strings.Join(groups, " "), Words: Words(h[:], 6)}
}

// Matches compares what a hand typed (digits with any spaces or hyphens, or the six words) with the fingerprint.
func (f LinkFingerprint) Matches(typed string) bool {
	typed = strings.ToLower(strings.TrimSpace(typed))
	digits := strings.NewReplacer(" ", "", "-", "", "\t", "", "\u00a0", "").Replace(typed)
	if digits == strings.ReplaceAll(f.Digits, " ", "") {
		return true
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(typed, "-", " ")), " ") == strings.Join(f.Words, " ")
}
