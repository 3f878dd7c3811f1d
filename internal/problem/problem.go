// Package problem holds the one table of what a person may be told went wrong. A problem is a stable code with parameters;
// the sentences (what is lost, who hears what, what to do now) live with the client, in each language, keyed by the code.
package problem

import (
	"errors"
	"sort"
	"strings"
)

// Code is a stable id. It is the i18n key "problem.<code>".
type Code string

// Error is a refusal that a person may see.
type Error struct {
	Code   Code
	Params map[string]string
}

// New makes a problem with parameters given as name, value, name, value.
func New(code Code, pairs ...string) *Error {
	e := &Error{Code: code}
	for i := 0; i+1 < len(pairs); i += 2 {
		if e.Params == nil {
			e.Params = map[string]string{}
		}
		e.Params[pairs[i]] = pairs[i+1]
	}
	return e
}

func (e *Error) Error() string {
	names := make([]string, 0, len(e.Params))
	for k := range e.Params {
		names = append(names, k)
	}
	sort.Strings(names)
	var b strings.Builder
	b.WriteString(string(e.Code))
	for _, k := range names {
		b.WriteString(" " + k + "=" + e.Params[k])
	}
	return b.String()
}

// Is makes errors.Is(err, problem.New(code)) compare codes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// CodeOf is the code of the first problem in err's chain, or Internal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
