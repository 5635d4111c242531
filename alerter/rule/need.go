package rule

import "slices"

// needs is what the functions of one rule look at. Places in its lists are what the closures know.
type needs struct {
	values []valueNeed
	shares []*series // with a baseline
	days   []*series
	volume bool
	listed []string // results that the rule names in quotes
}

// valueNeed is a series and how far back somebody looks.
type valueNeed struct {
	series *series
	reach  reach
}

func (n *needs) value(s *series, back reach) int {
	n.values = append(n.values, valueNeed{s, back})
	return len(n.values) - 1
}

func (n *needs) share(s *series) int { return place(&n.shares, s) }

func (n *needs) earlier(s *series) int { return place(&n.days, s) }

// place is where in a list a series is, added if need be.
func place(list *[]*series, s *series) int {
	at := slices.IndexFunc(*list, func(o *series) bool { return o.key == s.key })
	if at < 0 {
		at = len(*list)
		*list = append(*list, s)
	}
	return at
}

// any tells whether the rule looks at anything that a History keeps.
func (n *needs) any() bool {
	return len(n.values) > 0 || len(n.shares) > 0 || len(n.days) > 0 || n.volume
}

// LooksBack tells whether the rule looks at windows before the present one, or at what is usual.
func (r *Rule) LooksBack() bool { return r.needs.any() }

// QuotedResults are the results that the rule names in quotes, since the API's documentation does not list them; each once,
// in order. The caller owns the slice.
func (r *Rule) QuotedResults() []string {
	names := slices.Clone(r.needs.listed)
	slices.Sort(names)
	return slices.Compact(names)
}
