package ident

import (
	"errors"
	"unicode"
	"unicode/utf8"
)

// Bounds of everything that a person of another side may have written.
const (
	MaxText      = 200 // bytes of a name, office or title in one language
	MaxLanguages = 16
	MaxPerson    = 64
	MaxFormats   = 16
	MaxChain     = 16 << 10  // bytes of any one signed structure of this package
	MaxTime      = 1<<53 - 1 // ms, and any other integer: what a JavaScript number holds exactly
	keySize      = 32
	mldsaKeySize = 1952
	mldsaSigSize = 3309
)

var (
	// ErrBounds is returned for a field with a wrong length, number or letter.
	ErrBounds = errors.New("ident: field out of bounds")
	// ErrText is returned for text that could pass for other text: controls, bidi controls, zero-width or unassigned letters.
	ErrText = errors.New("ident: text with hidden or control characters")
)

// Text checks one line for people: 1 to max bytes of UTF-8 without any character that is invisible or changes direction.
//
// A name is shown beside "verified". With U+202E or U+200B in it, one person's plate could read as another's, so such names are
// refused rather than cleaned. The client isolates every name by markup, therefore no name needs direction marks.
func Text(s string, max int) error {
	if len(s) == 0 || len(s) > max || !utf8.ValidString(s) {
		return ErrBounds
	}
	for _, r := range s {
		if hidden(r) {
			return ErrText
		}
	}
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return ErrText
	}
	return nil
}

// hidden lists by range, not by Unicode property, so that Go and TypeScript refuse the same letters whatever their
// Unicode versions are.
func hidden(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7F && r <= 0xA0: // C0, DEL, C1, no-break space
		return true
	case r == 0xAD, r == 0x034F, r == 0x061C, r == 0x115F, r == 0x1160, r == 0x1680, r == 0x17B4, r == 0x17B5, r == 0x180E:
		return true
	case r >= 0x180B && r <= 0x180F, r >= 0x2000 && r <= 0x200F, r >= 0x2028 && r <= 0x202F, r >= 0x205F && r <= 0x206F:
		return true // spaces, zero width, marks, embeddings, isolates
	case r == 0x2800, r == 0x3000, r == 0x3164, r == 0xFEFF, r == 0xFFA0:
		return true
	case r >= 0xD800 && r <= 0xF8FF, r >= 0xFE00 && r <= 0xFE0F, r >= 0xFFF0 && r <= 0xFFFF: // private use, variation selectors, specials
		return true
	case r >= 0x1D173 && r <= 0x1D17A, r >= 0xE0000: // musical controls, tags, selectors, private planes
		return true
	}
	return r > unicode.MaxRune
}

// Texts checks a map from language tag to text; at least one language.
func Texts(m map[string]string, max int) error {
	if len(m) == 0 || len(m) > MaxLanguages {
		return ErrBounds
	}
	for tag, s := range m {
		if !IsLanguage(tag) {
			return ErrBounds
		}
		if err := Text(s, max); err != nil {
			return err
		}
	}
	return nil
}

// IsLanguage says whether tag is shaped like a BCP 47 tag: 2 to 16 letters, digits and hyphens.
func IsLanguage(tag string) bool {
	return len(tag) >= 2 && len(tag) <= 16 && each(tag, func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
	})
}

// IsZone says whether s may name a time zone: empty, or up to 64 letters, digits and the marks of the IANA database. Which zones there are
// differs from machine to machine, so that no rule may ask for more; whoever shows one falls back to UTC.
func IsZone(s string) bool {
	return len(s) <= 64 && each(s, func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '+' || c == '-' || c == '/'
	})
}

// IsID says whether s is an id of a person or format: 1 to 64 of a-z, 0-9, hyphen, underscore, dot.
func IsID(s string) bool {
	return len(s) >= 1 && len(s) <= MaxPerson && each(s, func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	})
}

func each(s string, ok func(byte) bool) bool {
	for i := 0; i < len(s); i++ {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func isTime(t int64) bool           { return t >= 0 && t <= MaxTime }
func isSpan(from, until int64) bool { return isTime(from) && isTime(until) && from < until }
func isKey(b []byte) bool           { return len(b) == keySize }
func ok(conditions ...bool) error {
	for _, c := range conditions {
		if !c {
			return ErrBounds
		}
	}
	return nil
}
