package rule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// ErrNoThreshold says that a rule has no threshold that could be moved: none is given, or expr does not compare a number
// with it.
var ErrNoThreshold = errors.New("expr compares nothing with the rule's threshold")

// Bound is the comparison of a rule's expression with its threshold: `share.congestion >= 0.20` with a threshold of 0.20,
// `lift("share.congestion") >= points` with one of baseline("share.congestion") + points.
type Bound struct {
	Number   string  // what is compared, as expr writes it
	Rising   bool    // true when a higher threshold makes the rule fire less: Number >= threshold
	Constant string  // the name of what is moved; empty when it is written as a number
	Present  float64 // what it is compared with now
	literals
}

// literals are where constants that belong to a threshold stand in the expressions, in the order of the text.
type literals struct {
	expr, clear []literal
}

// literal is a constant in an expression.
type literal struct {
	from, to int // in characters
	value    float64
	name     string // of one of the rule's constants; empty for a number
}

// Bound finds the comparison with the rule's threshold. Of several the first tells what is compared; all of them that
// compare it move together. It is [ErrNoThreshold] when there is none.
func (r *Rule) Bound() (Bound, error) {
	var b Bound
	for _, c := range comparisonsIn(conjuncts, r.Expr, r.Constants) {
		same := b.Number == c.number && b.Present == c.literal.value
		if !same && (b.Number != "" || !r.isThreshold(c.literal)) {
			continue
		}
		b.Number, b.Constant, b.Present = c.number, c.literal.name, c.literal.value
		b.Rising = c.operator == ">=" || c.operator == ">"
		b.expr = append(b.expr, c.literal)
	}
	if b.Number == "" {
		return Bound{}, ErrNoThreshold
	}
	for _, c := range comparisonsIn(joined, r.Clear, r.Constants) {
		if c.number == b.Number {
			b.clear = append(b.clear, c.literal)
		}
	}
	return b, nil
}

// isThreshold tells whether a constant is the rule's threshold, or what its threshold is made of.
func (r *Rule) isThreshold(l literal) bool {
	if l.value == 0 {
		return false // nothing is in proportion to it
	}
	if r.Threshold != nil {
		return *r.Threshold == l.value
	}
	return l.name != "" && regexp.MustCompile(`\b`+regexp.QuoteMeta(l.name)+`\b`).MatchString(r.Limit)
}

// joined are the operands of && and ||, at whatever depth, from left to right.
func joined(n ast.Node) []ast.Node {
	if b, ok := n.(*ast.BinaryNode); ok && slices.Contains([]string{"&&", "and", "||", "or"}, b.Operator) {
		return append(joined(b.Left), joined(b.Right)...)
	}
	return []ast.Node{n}
}

// comparison is one of a number with a constant, written as if the constant stood on the right.
type comparison struct {
	number, operator string
	literal          literal
}

func comparisonsIn(parts func(ast.Node) []ast.Node, source string, constants map[string]float64) []comparison {
	if source == "" {
		return nil
	}
	root, fault := parse(source)
	if fault != nil {
		return nil
	}
	var found []comparison
	for _, n := range parts(root) {
		b, ok := n.(*ast.BinaryNode)
		if !ok || !slices.Contains([]string{"<", "<=", ">", ">="}, b.Operator) {
			continue
		}
		if l, ok := literalOf(b.Right, constants); ok {
			found = append(found, comparison{b.Left.String(), b.Operator, l})
		} else if l, ok := literalOf(b.Left, constants); ok {
			found = append(found, comparison{b.Right.String(), mirrored[b.Operator], l})
		}
	}
	return found
}

func literalOf(n ast.Node, constants map[string]float64) (literal, bool) {
	at := n.Location()
	l := literal{from: at.From, to: at.To}
	switch n := n.(type) {
	case *ast.IntegerNode:
		l.value = float64(n.Value)
	case *ast.FloatNode:
		l.value = n.Value
	case *ast.IdentifierNode:
		l.name = n.Value
		value, known := constants[l.name]
		l.value = value
		return l, known
	default:
		return l, false
	}
	return l, true
}

// Variants is a set of one rule of s with other thresholds: the rules V0, V1, …, one per threshold. What clears the
// alert moves in proportion. It is [ErrNoThreshold] when the rule's threshold cannot be moved.
func (s *Set) Variants(r *Rule, thresholds []float64) (*Set, error) {
	bound, err := r.Bound()
	if err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.Name, err)
	}
	document := struct {
		Holidays []string         `json:"holidays"`
		Rules    []map[string]any `json:"rules"`
	}{append([]string{}, s.Holidays...), nil}
	for i, threshold := range thresholds {
		entry, err := r.entryWith(bound, threshold)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.Name, err)
		}
		entry["alert"] = "V" + strconv.Itoa(i)
		document.Rules = append(document.Rules, entry)
	}
	text, err := json.Marshal(document) // JSON is YAML
	if err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.Name, err)
	}
	return Parse(r.Name, text)
}

// entryWith is the rule as an entry of a rules file, with another threshold.
func (r *Rule) entryWith(bound Bound, threshold float64) (map[string]any, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var entry map[string]any
	if err := json.Unmarshal(text, &entry); err != nil {
		return nil, err
	}
	for key, value := range entry {
		if isAbsent(value) {
			delete(entry, key)
		}
	}
	entry["for"] = fmt.Sprintf("%d of %d", r.For.N, r.For.M)
	delete(entry, "limit")
	if r.Limit != "" {
		entry["threshold"] = r.Limit
	} else if r.Threshold != nil {
		entry["threshold"] = threshold
	}
	factor := threshold / bound.Present
	entry["expr"] = replaced(r.Expr, bound.expr, factor)
	if r.Clear != "" {
		entry["clear"] = replaced(r.Clear, bound.clear, factor)
	}
	entry["constants"] = r.moved(bound, factor)
	return entry, nil
}

// moved are the rule's constants, those of the bound multiplied.
func (r *Rule) moved(bound Bound, factor float64) map[string]float64 {
	constants := maps.Clone(r.Constants)
	for _, l := range slices.Concat(bound.expr, bound.clear) {
		if l.name != "" {
			constants[l.name], _ = strconv.ParseFloat(scaled(l.value, factor), 64) // which writes nothing else
		}
	}
	return constants
}

// isAbsent tells whether a value is what a key has that was not given.
func isAbsent(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// replaced is a text with its literals multiplied.
func replaced(source string, literals []literal, factor float64) string {
	text := []rune(source)
	slices.SortFunc(literals, func(a, b literal) int { return cmp.Compare(b.from, a.from) })
	for _, l := range literals { // from behind, so that places stay right
		if l.name != "" {
			continue
		}
		text = slices.Replace(text, l.from, l.to, []rune(scaled(l.value, factor))...)
	}
	return string(text)
}

// scaled writes a product so that people can read it: with at most six digits, and as a whole number only what can be one.
func scaled(value, factor float64) string {
	product := value * factor
	if rounded, err := strconv.ParseFloat(strconv.FormatFloat(product, 'g', 6, 64), 64); err == nil {
		product = rounded
	}
	if math.Abs(product) >= 1e15 {
		return strconv.FormatFloat(product, 'e', -1, 64)
	}
	return strconv.FormatFloat(product, 'f', -1, 64)
}
