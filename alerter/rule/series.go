package rule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"

	"unconnected/internal/spelling"
)

// unlisted is the result, behind a dot, that stands for all results that nobody has listed: neither the API's documentation
// nor a rule of the set, by writing its name in quotes.
const unlisted = "unlisted"

// series is a number that each window has: total, or a sum of counts, or a sum of shares.
type series struct {
	key     string // how it is written; two of one key are the same
	share   bool
	total   bool
	results []result
}

// result is one of those that a series adds up.
type result struct {
	name  string
	place int // in the counts of a Window; others or everythingElse for those without a place
}

// Places of results that have none in a Window.
const (
	others         = -1
	everythingElse = -2
)

func resultOf(name string, quoted bool) result {
	if name == unlisted && !quoted {
		return result{name, everythingElse}
	}
	return result{name, slices.Index(documented[:], name)} // others, if it is none of them
}

func (r result) count(w *Window) int64 {
	switch {
	case r.place >= 0:
		return w.counts[r.place]
	case r.place == everythingElse:
		return w.unlisted()
	}
	return w.others[r.name]
}

// written is how the result stands behind the name of a series.
func (r result) written() string {
	if r.place == others {
		return fmt.Sprintf("[%q]", r.name)
	}
	return "." + r.name
}

// unlisted counts the calls whose result nobody has listed.
func (w *Window) unlisted() (n int64) {
	for name, count := range w.others {
		if !slices.Contains(documented[:], name) && (w.past == nil || !w.past.history.listed[name]) {
			n += count
		}
	}
	return n
}

// unlistedNames are the results with calls that nobody has listed, in order.
func (w *Window) unlistedNames() (names []string) {
	for name, count := range w.others {
		if count > 0 && !slices.Contains(documented[:], name) && (w.past == nil || !w.past.history.listed[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// totalOf is the series "total".
func totalOf(w *Window) float64 {
	if !w.known {
		return unknown
	}
	return float64(w.total)
}

// countOf is the series "count.<result>".
func countOf(r result) func(*Window) float64 {
	return func(w *Window) float64 {
		if !w.known {
			return unknown
		}
		return float64(r.count(w))
	}
}

// shareOf is the series "share.<result>": unknown without calls.
func shareOf(r result) func(*Window) float64 {
	return func(w *Window) float64 {
		if w.total == 0 {
			return unknown
		}
		return float64(r.count(w)) / float64(w.total)
	}
}

// names are those of the results.
func (s *series) names() []string {
	names := make([]string, len(s.results))
	for i, r := range s.results {
		names[i] = r.name
	}
	return names
}

// counted is the calls of the series in a known window: all of them for total.
func (s *series) counted(w *Window) (n int64) {
	if s.total {
		return w.total
	}
	for _, r := range s.results {
		n += r.count(w)
	}
	return n
}

// value is the series in a window; NaN when unknown.
func (s *series) value(w *Window) float64 {
	switch {
	case !w.known || s.share && w.total == 0:
		return unknown
	case s.share:
		return float64(s.counted(w)) / float64(w.total)
	}
	return float64(s.counted(w))
}

// identifier compiles a name that stands alone: only total does.
func (c *compiler) identifier(n *ast.IdentifierNode) compiled {
	if v, ok := c.constants[n.Value]; ok {
		return constant(v)
	}
	switch {
	case n.Value == "total":
		return compiled{kind: number, reads: readsTotal, volume: true, number: totalOf}
	case n.Value == "count" || n.Value == "share":
		return c.fail(n, "%s needs a result: %s.congestion", n.Value, n.Value)
	case n.Value == "missing":
		return compiled{kind: boolean, reads: readsTick, truth: isMissing}
	case isFunction(n.Value):
		return c.fail(n, "%s is a function: %s", n.Value, functions[n.Value])
	case slices.Contains(documented[:], n.Value):
		return c.fail(n, "unknown name %s; did you mean count.%s or share.%s?", n.Value, n.Value, n.Value)
	}
	return c.fail(n, "unknown name %s%s", n.Value, spelling.DidYouMean(n.Value, append(slices.Sorted(maps.Keys(c.constants)), "total", "count", "share", "missing")))
}

// member compiles count.<result>, share.<result> and their forms with brackets.
func (c *compiler) member(n *ast.MemberNode) compiled {
	name, result, ok := c.seriesMember(n)
	switch {
	case !ok:
		return compiled{}
	case name == "share":
		return compiled{kind: number, reads: readsShare, number: shareOf(result)}
	}
	return compiled{kind: number, reads: readsCount, volume: true, number: countOf(result)}
}

// seriesMember takes count.<result> apart.
func (c *compiler) seriesMember(n *ast.MemberNode) (name string, r result, ok bool) {
	base, ok := n.Node.(*ast.IdentifierNode)
	if !ok || base.Value != "count" && base.Value != "share" {
		c.notASeries(n)
		return "", result{}, false
	}
	property, ok := n.Property.(*ast.StringNode)
	if !ok {
		c.fail(n.Property, "%s[…] needs the result's name in quotes", base.Value)
		return "", result{}, false
	}
	quoted := c.isQuote(property)
	switch {
	case quoted && !isResult(property.Value):
		c.fail(property, "%q cannot be the name of a result: results are written in snake_case, like new_result", property.Value)
		return "", result{}, false
	case !quoted && property.Value != unlisted && !slices.Contains(documented[:], property.Value):
		c.fail(property, "unknown result %s%s; a result that is not documented is written %s[%q]",
			property.Value, spelling.DidYouMean(property.Value, documented[:]), base.Value, property.Value)
		return "", result{}, false
	}
	r = resultOf(property.Value, quoted)
	if r.place == others {
		c.needs.listed = append(c.needs.listed, r.name)
	}
	return base.Value, r, true
}

// seriesIn compiles the series that a text names, for a function over the past. at is the text's node.
func (c *compiler) seriesIn(text string, at ast.Node) (*series, bool) {
	root, f := parse(text)
	inner := &compiler{source: []rune(text), needs: c.needs}
	s := new(series)
	if f == nil {
		inner.addTo(s, root)
		if len(inner.faults) > 0 {
			f = &inner.faults[0]
		}
	}
	if f != nil {
		c.faults = append(c.faults, fault{offset: at.Location().From + 1 + f.offset, text: f.text})
		return nil, false
	}
	return s, true
}

// addTo adds a part of a sum to a series.
func (c *compiler) addTo(s *series, n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		if n.Operator == "+" {
			c.addTo(s, n.Left)
			c.addTo(s, n.Right)
			return
		}
	case *ast.IdentifierNode:
		if n.Value == "total" && s.key == "" {
			s.total, s.key = true, "total"
			return
		}
	case *ast.MemberNode:
		name, r, ok := c.seriesMember(n)
		if !ok {
			return
		}
		if share := name == "share"; !s.total && (s.key == "" || share == s.share) {
			if s.share = share; s.key != "" {
				s.key += " + "
			}
			s.key += name + r.written()
			s.results = append(s.results, r)
			return
		}
	}
	c.fail(n, "a series is total, count.<result>, share.<result>, or a sum of counts, or a sum of shares")
}

func (c *compiler) notASeries(n *ast.MemberNode) compiled {
	base, ok := n.Node.(*ast.IdentifierNode)
	switch {
	case !ok:
		return c.fail(n, "only count and share have results")
	case base.Value == "total":
		return c.fail(base, "total is a number; the calls of one result are count.<result>")
	}
	return c.fail(base, "unknown name %s%s", base.Value, spelling.DidYouMean(base.Value, []string{"count", "share"}))
}

// isResult tells whether the producer can have written name for a result: snake_case that does not begin with a digit.
func isResult(name string) bool {
	for i, r := range name {
		switch {
		case r == '_':
		case unicode.IsDigit(r):
			if i == 0 {
				return false
			}
		case !unicode.IsLetter(r) || unicode.IsUpper(r):
			return false
		}
	}
	return name != "" && strings.Trim(name, "_") == name
}
