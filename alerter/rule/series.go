package rule

import (
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"
)

// pastFunctions look at the windows before the present one. The language keeps their names for them.
var pastFunctions = []string{
	"mean", "median", "max", "sum", "same_time", "baseline", "lift", "ratio", "rarity", "expected_total", "age",
	"missing", "status",
}

func isPastFunction(name string) bool { return slices.Contains(pastFunctions, name) }

// identifier compiles a name that stands alone: only total does.
func (c *compiler) identifier(n *ast.IdentifierNode) compiled {
	switch {
	case n.Value == "total":
		return compiled{kind: number, reads: readsTotal, volume: true, number: totalOf}
	case n.Value == "count" || n.Value == "share":
		return c.fail(n, "%s needs a result: %s.congestion", n.Value, n.Value)
	case isPastFunction(n.Value):
		return c.fail(n, "%s is a function, which this version cannot do yet", n.Value)
	case slices.Contains(documented[:], n.Value):
		return c.fail(n, "unknown name %s; did you mean count.%s or share.%s?", n.Value, n.Value, n.Value)
	}
	return c.fail(n, "unknown name %s%s", n.Value, didYouMean(n.Value, []string{"total", "count", "share"}))
}

// member compiles count.<result>, share.<result> and their forms with brackets.
func (c *compiler) member(n *ast.MemberNode) compiled {
	series, ok := n.Node.(*ast.IdentifierNode)
	if !ok || series.Value != "count" && series.Value != "share" {
		return c.notASeries(n)
	}
	property, ok := n.Property.(*ast.StringNode)
	if !ok {
		return c.fail(n.Property, "%s[…] needs the result's name in quotes", series.Value)
	}
	result := property.Value
	if c.isQuote(property) {
		if !isResult(result) {
			return c.fail(property, "%q cannot be the name of a result: results are written in snake_case, like new_result",
				result)
		}
	} else if !slices.Contains(documented[:], result) {
		return c.fail(property, "unknown result %s%s; a result that is not documented is written %s[%q]",
			result, didYouMean(result, documented[:]), series.Value, result)
	}
	if series.Value == "share" {
		return compiled{kind: number, reads: readsShare, number: shareOf(result)}
	}
	return compiled{kind: number, reads: readsCount, volume: true, number: countOf(result)}
}

func (c *compiler) notASeries(n *ast.MemberNode) compiled {
	base, ok := n.Node.(*ast.IdentifierNode)
	switch {
	case !ok:
		return c.fail(n, "only count and share have results")
	case base.Value == "total":
		return c.fail(base, "total is a number; the calls of one result are count.<result>")
	}
	return c.fail(base, "unknown name %s%s", base.Value, didYouMean(base.Value, []string{"count", "share"}))
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
