package rule

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Part is a part of a condition and what it came to in one window.
type Part struct {
	Text  string // as expr writes it
	Depth int    // 0 for the operands of the && at the top, 1 for their parts, and so on
	Truth *Tri   // nil for a number
	Value float64
}

// Trace is what the parts of a rule's conditions came to in one window, in the order in which they are written, each
// whole before its parts. Constants are left out, and a number that stands in several places is told once.
type Trace struct {
	Expr  []Part
	Clear []Part // none for a rule that clears when Expr no longer holds
	// AtOnce is of the condition that needs no second window; none for a rule without one.
	AtOnce []Part
}

// Trace takes the rule's conditions apart, to show people why a window held or did not. It is much slower than Eval.
func (r *Rule) Trace(w *Window) Trace {
	return Trace{Expr: traceOf(r.exprTrace, w), Clear: traceOf(r.clearTrace, w), AtOnce: traceOf(r.atOnceTrace, w)}
}

func traceOf(parts []tracePart, w *Window) []Part {
	var trace []Part
	for _, p := range parts {
		part := Part{Text: p.text, Depth: p.depth, Value: unknown}
		if p.truth != nil {
			t := p.truth(w)
			part.Truth = &t
		} else {
			part.Value = p.number(w)
		}
		trace = append(trace, part)
	}
	return trace
}

// tracePart is a compiled part, one of the two functions.
type tracePart struct {
	text   string
	depth  int
	truth  func(*Window) Tri
	number func(*Window) float64
}

// trace lists the parts of a condition that was compiled without a fault; of a number it is nil.
func (c *compiler) trace(root ast.Node) []tracePart {
	if len(c.faults) > 0 {
		return nil
	}
	t := tracer{made: c.made}
	for _, n := range conjuncts(root) {
		t.truth(n, 0)
	}
	return t.parts
}

type tracer struct {
	made  map[ast.Node]compiled
	parts []tracePart
}

// truth adds a condition and what it is made of.
func (t *tracer) truth(n ast.Node, depth int) {
	made := t.made[n]
	if made.kind != boolean {
		t.number(n, depth)
		return
	}
	if made.reads == 0 {
		return // true or false, always
	}
	t.parts = append(t.parts, tracePart{text: n.String(), depth: depth, truth: made.truth})
	for _, operand := range operands(n) {
		t.truth(operand, depth+1)
	}
}

// number adds a number and what it is made of.
func (t *tracer) number(n ast.Node, depth int) {
	made, text := t.made[n], n.String()
	told := slices.ContainsFunc(t.parts, func(p tracePart) bool { return p.text == text })
	if made.kind != number || made.constant || told {
		return
	}
	t.parts = append(t.parts, tracePart{text: text, depth: depth, number: made.number})
	for _, operand := range operands(n) {
		t.truth(operand, depth+1)
	}
}

// operands are what an operator works on. The arguments of functions are none: they name series and spans.
func operands(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	}
	return nil
}
