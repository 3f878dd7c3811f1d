package native

// says is what a member attests of the present epoch, compared with one's own word.
type says int

const (
	awaited says = iota
	agrees
	differs
)

// voice is one member's word. The same rule as web/src/client/session/split.ts; why it is safe stands in docs/states.md.
type voice struct {
	join  string
	side  string
	says  says
	named bool // before, or by two words of its own about one epoch
}

// verdict is what follows from all words together.
type verdict int

const (
	one     verdict = iota // nobody who counts attests otherwise
	open                   // somebody does, and not all have spoken: nothing is sent until they have
	named                  // some attest otherwise than all others: their media is cut
	forking                // the group is split, or nobody can tell who lies: nothing is sent
)

// judge gives a verdict and whom it names; overdue says that members have had their time to speak.
func judge(voices []voice, overdue bool) (v verdict, joins []string) {
	size, ill, well := map[string]int{}, map[string]int{}, map[string]int{}
	bad, agree := 0, 0
	for _, x := range voices {
		size[x.side]++
		switch {
		case x.named || x.says == differs:
			bad++
			ill[x.side]++
			if !x.named {
				joins = append(joins, x.join)
			}
		case x.says == agrees:
			agree++
			well[x.side]++
		}
	}
	for side, n := range ill {
		if n == size[side] || n > 1 && 2*n >= size[side] {
			return forking, nil
		}
	}
	if len(joins) == 0 {
		return one, nil
	}
	// Whoever is still awaited may yet turn the count either way.
	if waiting := len(voices) - bad - agree; waiting > 0 && !overdue {
		if 2*(agree+waiting) > len(voices) {
			return open, nil
		}
		return forking, nil
	}
	for side := range size {
		if well[side] == 0 {
			return forking, nil
		}
	}
	if 2*agree <= len(voices) {
		return forking, nil
	}
	return named, joins
}
