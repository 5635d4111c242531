package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"unconnected/alerter/numeral"
)

// Sentence explains in a language, "en" or "es", when the rule fires and when it ends. It is text for people, not markup.
func (r *Rule) Sentence(language string) string {
	w := english
	if language == Spanish {
		w = spanish
	}
	if r.onTicks {
		return fmt.Sprintf(w.ticks, w.severities[r.Severity], w.condition(r, r.Expr)) + w.where(r)
	}
	s := fmt.Sprintf(w.fires, w.severities[r.Severity], w.windows(r.For), w.condition(r, r.Expr))
	if r.AtOnce != "" {
		s += fmt.Sprintf(w.orAtOnce, w.condition(r, r.AtOnce))
	}
	quiet := w.otherwise
	if r.Clear != "" {
		quiet = fmt.Sprintf(w.quiet, w.condition(r, r.Clear))
	}
	return s + fmt.Sprintf(w.ends, w.count(r.Keep), quiet) + w.where(r)
}

// where is the sentences about what the rule is limited to.
func (w *phrases) where(r *Rule) (s string) {
	if len(r.Operations) > 0 {
		s += fmt.Sprintf(w.operations, strings.Join(r.Operations, ", "))
	}
	if r.Hours != "" {
		s += fmt.Sprintf(w.hours, r.Hours)
	}
	return s
}

func (w *phrases) windows(f For) string {
	if f.N == f.M {
		return w.count(f.N)
	}
	return fmt.Sprintf(w.nOfM, f.N, f.M)
}

func (w *phrases) count(n int) string {
	if n == 1 {
		return w.one
	}
	return fmt.Sprintf(w.inARow, n)
}

// condition puts an expression of a rule that was loaded into words.
func (w *phrases) condition(r *Rule, source string) string {
	root, fault := parse(source)
	if fault != nil {
		return source
	}
	return (&speaker{phrases: w, rule: r, source: source}).say(root)
}

// speaker puts the syntax tree of an expression into words.
type speaker struct {
	*phrases
	rule   *Rule
	source string
}

func (s *speaker) say(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return s.number(float64(n.Value))
	case *ast.FloatNode:
		return s.number(n.Value)
	case *ast.BoolNode:
		return s.truths[n.Value]
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return fmt.Sprintf(s.not, s.say(n.Node))
		}
		return n.Operator + s.say(n.Node)
	case *ast.BinaryNode:
		return s.binary(n)
	case *ast.ConditionalNode:
		return fmt.Sprintf(s.either, s.say(n.Cond), s.say(n.Exp1), s.say(n.Exp2))
	case *ast.IdentifierNode:
		return s.identifier(n)
	case *ast.MemberNode:
		return s.series(n.String())
	case *ast.CallNode:
		return s.function(n)
	}
	return n.String()
}

func (s *speaker) binary(n *ast.BinaryNode) string {
	switch n.Operator {
	case "&&", "and":
		return s.operand(n.Left, "or") + s.and + s.operand(n.Right, "or")
	case "||", "or":
		return s.operand(n.Left, "and") + s.or + s.operand(n.Right, "and")
	}
	verb, compares := s.verbs[n.Operator]
	if !compares {
		return s.factor(n.Left) + " " + n.Operator + " " + s.factor(n.Right)
	}
	left, right := s.say(n.Left), s.say(n.Right)
	if s.isShare(n.Left) {
		right = s.asPercent(n.Right, right)
	}
	if s.isShare(n.Right) {
		left = s.asPercent(n.Left, left)
	}
	return left + " " + verb + " " + right
}

// operand is one side of "and" or "or", in brackets when the other of the two stands in it.
func (s *speaker) operand(n ast.Node, other string) string {
	b, ok := n.(*ast.BinaryNode)
	_, chooses := n.(*ast.ConditionalNode)
	if chooses || ok && (b.Operator == other || other == "and" && b.Operator == "&&" || other == "or" && b.Operator == "||") {
		return "(" + s.say(n) + ")"
	}
	return s.say(n)
}

func (s *speaker) factor(n ast.Node) string {
	if _, ok := n.(*ast.BinaryNode); ok {
		return "(" + s.say(n) + ")"
	}
	return s.say(n)
}

// isShare tells whether a number is a share of calls.
func (s *speaker) isShare(n ast.Node) bool {
	c := &compiler{source: []rune(s.source), constants: s.rule.Constants, needs: new(needs)}
	return c.compile(n).isShare()
}

// asPercent is a constant that a share is compared with.
func (s *speaker) asPercent(n ast.Node, otherwise string) string {
	c := &compiler{source: []rune(s.source), constants: s.rule.Constants, needs: new(needs)}
	part := c.compile(n)
	if !part.constant {
		return otherwise
	}
	text, _ := percent(part.number(nil), s.language) // a constant is a number
	return text
}

func (s *speaker) identifier(n *ast.IdentifierNode) string {
	if v, ok := s.rule.Constants[n.Value]; ok {
		return s.number(v)
	}
	switch n.Value {
	case "missing":
		return s.missing
	case "total":
		return s.total
	}
	return n.Value
}

func (w *phrases) number(v float64) string {
	return numeral.For(w.language).Decimal(v, -1)
}

// series puts the text of a series into words.
func (w *phrases) series(text string) string {
	var parts []string
	share := false
	for part := range strings.SplitSeq(text, "+") {
		part = strings.TrimSpace(part)
		if part == "total" {
			return w.total
		}
		name, found := strings.CutPrefix(part, "count")
		if !found {
			name, share = strings.TrimPrefix(part, "share"), true
		}
		name = strings.Trim(name, `.[]"'`)
		if plain, ok := w.results[name]; ok {
			name = plain
		}
		parts = append(parts, name)
	}
	results := strings.Join(parts, w.and)
	if share {
		return fmt.Sprintf(w.share, results)
	}
	return fmt.Sprintf(w.calls, results)
}

// function puts a call into words.
func (s *speaker) function(n *ast.CallNode) string {
	callee, _ := n.Callee.(*ast.IdentifierNode) // the rule was compiled
	name := callee.Value
	arguments := make([]any, 0, 3)
	for i, argument := range n.Arguments {
		text, isText := argument.(*ast.StringNode)
		switch {
		case isText && i == 0 && name != "status":
			arguments = append(arguments, s.series(text.Value))
		case isText:
			arguments = append(arguments, text.Value)
		case name == "raised" && i == 1 || name == "baseline":
			arguments = append(arguments, s.asPercent(argument, s.say(argument)))
		default:
			arguments = append(arguments, s.say(argument))
		}
	}
	if name == "status" {
		states := make([]string, len(arguments))
		for i, state := range arguments {
			states[i], _ = state.(string)
		}
		return fmt.Sprintf(s.status, strings.Join(states, s.or))
	}
	if slices.Contains([]string{"mean", "median", "max", "sum"}, name) {
		span := s.lastWindows
		if _, isText := n.Arguments[1].(*ast.StringNode); isText {
			span = s.lastTime
		}
		arguments[1] = fmt.Sprintf(span, arguments[1])
	}
	key := name
	if (name == "rarity" || name == "baseline") && len(arguments) == 2 {
		key += "2"
	}
	return s.contracted(fmt.Sprintf(s.functions[key], arguments...))
}

// contracted writes "de el" as Spanish does.
func (w *phrases) contracted(text string) string {
	if w.language == Spanish {
		return strings.ReplaceAll(text, " de el ", " del ")
	}
	return text
}
