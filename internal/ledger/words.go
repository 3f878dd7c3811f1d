package ledger

import (
	"crypto/sha256"
	"maps"

	"parley.link/parley/internal/act"
	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// parsed is a signed act with its envelope read.
type parsed struct {
	act.Act
	id     act.ID
	signed act.Signed
	bytes  []byte // canonical act.Signed
}

// parse reads an act as it travels. Whether it is allowed is the session engine's to say.
func parse(b []byte) (parsed, error) {
	p := parsed{bytes: b}
	if len(b) > act.MaxAct+256 {
		return p, problem.New(problem.TooLarge, "what", "act")
	}
	if canon.Decode(b, &p.signed) != nil || canon.Decode(p.signed.Act, &p.Act) != nil {
		return p, problem.New(problem.Malformed, "what", "act")
	}
	if p.Version != act.Version {
		return p, problem.New(problem.WrongVersion, "what", "act")
	}
	if len(p.Scope) != act.ScopeSize || len(p.Side) != act.IDSize || len(p.Key) != act.KeySize {
		return p, problem.New(problem.Malformed, "what", "act")
	}
	p.id = act.IDOf(p.signed.Act)
	return p, nil
}

// parseItem reads an outbox item with the act inside.
func parseItem(b []byte) (Item, act.Outbox, act.SignedOutbox, error) {
	var so act.SignedOutbox
	var o act.Outbox
	if canon.Decode(b, &so) != nil || canon.Decode(so.Item, &o) != nil {
		return Item{}, o, so, problem.New(problem.Malformed, "what", "outbox")
	}
	if len(o.Side) != act.IDSize || len(o.Scope) != act.ScopeSize || len(o.Prev) != act.IDSize {
		return Item{}, o, so, problem.New(problem.Malformed, "what", "outbox")
	}
	return Item{Side: Side(o.Side), Seq: o.Seq, Hash: sha256.Sum256(so.Item), Bytes: b}, o, so, nil
}

// actsOf lists the ids that an entry puts into the log.
func actsOf(e act.Entry) []act.ID {
	item := e.Item
	if e.From == act.ItemOutbox {
		_, o, _, err := parseItem(e.Item)
		if err != nil {
			return nil
		}
		item = o.Act
	}
	p, err := parse(item)
	if err != nil {
		return nil
	}
	return []act.ID{p.id}
}

// joint reports whether an act needs every side, and therefore every link.
func joint(k act.Kind) bool {
	switch k {
	case act.KindConsent, act.KindAdmit, act.KindResume, act.KindClose, act.KindExtend:
		return true
	}
	return false
}

// membership reports whether an act changes who holds keys.
func membership(k act.Kind) bool {
	return k == act.KindCommit || k == act.KindGroupNew || k == act.KindAdmit
}

func asProblem(err error) *problem.Error {
	var p *problem.Error
	if e := problem.CodeOf(err); e != problem.Internal {
		p = problem.New(e)
	} else {
		p = problem.New(problem.Internal)
	}
	return withParams(p, err)
}

func withParams(p *problem.Error, err error) *problem.Error {
	for err != nil {
		if e, ok := err.(*problem.Error); ok { //nolint:errorlint // the chain is walked by hand
			p.Params = maps.Clone(e.Params)
			return p
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return p
		}
		err = u.Unwrap()
	}
	return p
}

// refusalFrom reads a peer's refusal. Its words end up before people, so that only a plain code and plain parameters pass.
func refusalFrom(code string, params map[string]string) *problem.Error {
	if !plain(code) {
		return problem.New(problem.Internal)
	}
	p := problem.New(problem.Code(code))
	for k, v := range params {
		if len(p.Params) < 8 && plain(k) && plain(v) {
			if p.Params == nil {
				p.Params = map[string]string{}
			}
			p.Params[k] = v
		}
	}
	return p
}

func plain(s string) bool {
	if len(s) == 0 || len(s) > maxParamBytes {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

func toPB(sigs []act.NodeSig) []*signalpb.NodeSig {
	out := make([]*signalpb.NodeSig, 0, len(sigs))
	for _, s := range sigs {
		out = append(out, &signalpb.NodeSig{Side: s.Side, Signature: s.Sig})
	}
	return out
}

func fromPB(sigs []*signalpb.NodeSig) []act.NodeSig {
	out := make([]act.NodeSig, 0, len(sigs))
	for _, s := range sigs {
		out = append(out, act.NodeSig{Side: s.GetSide(), Sig: s.GetSignature()})
	}
	return out
}
