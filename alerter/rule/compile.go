package rule

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// maxExpression bounds the length of an expression in bytes, and with it how deep the parser recurses.
const maxExpression = 4096

// kind is the type of an expression.
type kind int

const (
	invalid kind = iota // a problem was reported already
	number
	boolean
)

// reads tells which series an expression looks at.
type reads int

const (
	readsTotal reads = 1 << iota
	readsCount
	readsShare
	divides    // by something that is not a constant: a share in disguise
	readsPast  // windows before the present one
	readsPlain // a number that is no share, made of shares
	readsTick  // the state of things between windows
)

// compiled is an expression or a part of one. Which of the functions is set follows from kind; they are pure and may be
// called concurrently.
type compiled struct {
	kind   kind
	number func(*Window) float64 // NaN is unknown
	truth  func(*Window) Tri
	reads  reads

	// constant numbers look at no series; their function does not touch its argument.
	constant bool
	// volume numbers are sums of calls: never negative and, without calls, zero.
	volume bool
	// bounds truths cannot hold without a constant number of calls.
	bounds bool
	// trace is what a whole expression is made of; only [compile] sets it.
	trace []tracePart
}

// fault is what is wrong with an expression.
type fault struct {
	offset int // characters from the expression's start
	text   string
}

// compiler turns a syntax tree into closures, collecting faults instead of stopping at the first.
type compiler struct {
	source    []rune
	faults    []fault
	constants map[string]float64    // of the rule
	needs     *needs                // of the rule: what its functions look at is added
	made      map[ast.Node]compiled // what became of each part, for its trace; nil when nobody wants that
}

// run compiles the source, which must be of the kind want. parts are the operands of the && at its top.
func (c *compiler) run(want kind) (whole compiled, parts []compiled, faults []fault) {
	root, f := parse(string(c.source))
	if f != nil {
		return compiled{}, nil, []fault{*f}
	}
	c.made = map[ast.Node]compiled{}
	for _, n := range conjuncts(root) {
		parts = append(parts, c.compile(n))
	}
	whole = parts[0]
	for _, part := range parts[1:] {
		whole = and(whole, part)
	}
	if len(parts) > 1 {
		for i, n := range conjuncts(root) {
			c.expect(parts[i], boolean, n, "&& joins")
		}
	}
	if whole.kind != invalid && whole.kind != want {
		c.fail(root, "this is a %v, but a %v is needed here", whole.kind, want)
	}
	whole.trace = c.trace(root)
	return whole, parts, c.faults
}

func (k kind) String() string {
	if k == boolean {
		return "condition (true or false)"
	}
	return "number"
}

// parse uses expr's parser. The functions over the past are declared so that all of them parse alike: some of their
// names are expr's own.
func parse(source string) (ast.Node, *fault) {
	if len(source) > maxExpression {
		return nil, &fault{text: fmt.Sprintf("the expression is longer than %d bytes", maxExpression)}
	}
	if !utf8.ValidString(source) {
		return nil, &fault{text: "the expression is not valid UTF-8"}
	}
	config := conf.CreateNew()
	config.DisableIfOperator = true
	for name := range functions {
		config.Functions[name] = nil
	}
	tree, err := parser.ParseWithConfig(source, config)
	if err == nil {
		return tree.Node, nil
	}
	var at *file.Error
	if errors.As(err, &at) {
		return nil, &fault{offset: at.From, text: at.Message}
	}
	return nil, &fault{text: err.Error()}
}

// conjuncts are the operands of the && at the top, from left to right.
func conjuncts(n ast.Node) []ast.Node {
	if b, ok := n.(*ast.BinaryNode); ok && (b.Operator == "&&" || b.Operator == "and") {
		return append(conjuncts(b.Left), conjuncts(b.Right)...)
	}
	return []ast.Node{n}
}

// fail reports a fault at a node.
func (c *compiler) fail(n ast.Node, format string, args ...any) compiled {
	c.faults = append(c.faults, fault{offset: n.Location().From, text: fmt.Sprintf(format, args...)})
	return compiled{}
}

// expect reports a part that is not of the kind which its place needs. It is false for invalid ones, too.
func (c *compiler) expect(part compiled, want kind, n ast.Node, place string) bool {
	if part.kind != invalid && part.kind != want {
		c.fail(n, "%s a %v, but this is a %v", place, want, part.kind)
	}
	return part.kind == want
}

func (c *compiler) compile(n ast.Node) compiled {
	made := c.compileNode(n)
	if c.made != nil {
		c.made[n] = made
	}
	return made
}

func (c *compiler) compileNode(n ast.Node) compiled {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return constant(float64(n.Value))
	case *ast.FloatNode:
		return constant(n.Value)
	case *ast.BoolNode:
		v := truth(n.Value)
		return compiled{kind: boolean, truth: func(*Window) Tri { return v }}
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.fail(n, "there is no function %s here", n.Name)
	}
	return c.fail(n, "%s cannot be used here; an expression is made of numbers, total, count.<result>, share.<result>, "+
		"functions, + - * /, comparisons, && || ! and ?:", describe(n))
}

// describe says what a node of expr's language is that ours does not have.
func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.StringNode, *ast.BytesNode:
		return "text"
	case *ast.NilNode:
		return "nil"
	case *ast.ArrayNode, *ast.MapNode, *ast.SliceNode:
		return "a list or map"
	case *ast.ChainNode:
		return "?."
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		return "a variable or a sequence"
	}
	return "this"
}

func constant(v float64) compiled {
	return compiled{kind: number, constant: true, number: func(*Window) float64 { return v }}
}

// isPositive tells whether a part is a constant above zero.
func (p compiled) isPositive() bool { return p.constant && p.number(nil) > 0 }

func (c *compiler) unary(n *ast.UnaryNode) compiled {
	part := c.compile(n.Node)
	switch n.Operator {
	case "!", "not":
		if !c.expect(part, boolean, n.Node, n.Operator+" needs") {
			return compiled{}
		}
		inner := part.truth
		return compiled{kind: boolean, reads: part.reads, truth: func(w *Window) Tri { return -inner(w) }}
	case "-", "+":
		if !c.expect(part, number, n.Node, n.Operator+" needs") {
			return compiled{}
		}
		if n.Operator == "+" {
			return part
		}
		inner := part.number
		return compiled{
			kind: number, reads: part.reads, constant: part.constant,
			number: func(w *Window) float64 { return -inner(w) },
		}
	}
	return c.fail(n, "there is no operator %s here", n.Operator)
}

func (c *compiler) conditional(n *ast.ConditionalNode) compiled {
	cond, yes, no := c.compile(n.Cond), c.compile(n.Exp1), c.compile(n.Exp2)
	if !c.expect(cond, boolean, n.Cond, "?: needs") || yes.kind == invalid || !c.expect(no, yes.kind, n.Exp2, "after : comes") {
		return compiled{}
	}
	out := compiled{kind: yes.kind, reads: cond.reads | yes.reads | no.reads}
	if yes.kind == boolean {
		out.bounds = yes.bounds && no.bounds
		out.truth = chooseTruth(cond.truth, yes.truth, no.truth)
	} else {
		out.constant = false
		out.number = chooseNumber(cond.truth, yes.number, no.number)
	}
	return out
}

func chooseTruth(cond, yes, no func(*Window) Tri) func(*Window) Tri {
	return func(w *Window) Tri {
		switch cond(w) {
		case True:
			return yes(w)
		case False:
			return no(w)
		}
		return Unknown
	}
}

func chooseNumber(cond func(*Window) Tri, yes, no func(*Window) float64) func(*Window) float64 {
	return func(w *Window) float64 {
		switch cond(w) {
		case True:
			return yes(w)
		case False:
			return no(w)
		}
		return unknown
	}
}

// finite is v, or unknown when it is too large to be a number: no answer of the language is infinite.
func finite(v float64) float64 {
	if math.IsInf(v, 0) {
		return unknown
	}
	return v
}

// isQuote tells whether the expression has the beginning of a string at a node: share["x"], not share.x, which parse
// alike. expr counts offsets in characters.
func (c *compiler) isQuote(n ast.Node) bool {
	at := n.Location().From
	return at < len(c.source) && strings.ContainsRune("\"'`", c.source[at])
}
