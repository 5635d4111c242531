package rule

import "github.com/expr-lang/expr/ast"

// comparisons are the operators that make a truth of two known numbers.
var comparisons = map[string]func(a, b float64) bool{
	"<":  func(a, b float64) bool { return a < b },
	"<=": func(a, b float64) bool { return a <= b },
	">":  func(a, b float64) bool { return a > b },
	">=": func(a, b float64) bool { return a >= b },
	"==": func(a, b float64) bool { return a == b },
	"!=": func(a, b float64) bool { return a != b },
}

// mirrored says how a comparison reads from the right.
var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

func (c *compiler) binary(n *ast.BinaryNode) compiled {
	left, right := c.compile(n.Left), c.compile(n.Right)
	want, place := number, n.Operator+" needs"
	switch n.Operator {
	case "&&", "and", "||", "or":
		want, place = boolean, n.Operator+" joins"
	case "+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=":
	default:
		return c.fail(n, "there is no operator %s here; use + - * /, comparisons, && || !", n.Operator)
	}
	okLeft := c.expect(left, want, n.Left, place)
	if okRight := c.expect(right, want, n.Right, place); !okLeft || !okRight {
		return compiled{}
	}
	switch n.Operator {
	case "&&", "and":
		return and(left, right)
	case "||", "or":
		return or(left, right)
	case "+", "-", "*", "/":
		return arithmetic(n.Operator, left, right)
	}
	return compare(n.Operator, left, right)
}

func and(left, right compiled) compiled {
	if left.kind != boolean || right.kind != boolean {
		return compiled{}
	}
	a, b := left.truth, right.truth
	return compiled{
		kind: boolean, reads: left.reads | right.reads, bounds: left.bounds || right.bounds,
		truth: func(w *Window) Tri {
			first := a(w)
			if first == False {
				return False
			}
			return min(first, b(w))
		},
	}
}

func or(left, right compiled) compiled {
	a, b := left.truth, right.truth
	return compiled{
		kind: boolean, reads: left.reads | right.reads, bounds: left.bounds && right.bounds,
		truth: func(w *Window) Tri {
			first := a(w)
			if first == True {
				return True
			}
			return max(first, b(w))
		},
	}
}

func arithmetic(operator string, left, right compiled) compiled {
	a, b := left.number, right.number
	out := compiled{
		kind: number, reads: left.reads | right.reads, constant: left.constant && right.constant,
	}
	switch operator {
	case "+":
		out.volume = left.volume && right.volume
		out.number = func(w *Window) float64 { return finite(a(w) + b(w)) }
	case "-":
		out.number = func(w *Window) float64 { return finite(a(w) - b(w)) }
	case "*":
		out.volume = left.volume && right.isPositive() || left.isPositive() && right.volume
		out.number = func(w *Window) float64 { return finite(a(w) * b(w)) }
	case "/":
		out.volume = left.volume && right.isPositive()
		out.number = func(w *Window) float64 { return finite(a(w) / b(w)) } // x/0 is infinite or NaN: unknown
		if !right.constant {
			out.reads |= divides
		}
	}
	return out
}

func compare(operator string, left, right compiled) compiled {
	a, b, holds := left.number, right.number, comparisons[operator]
	return compiled{
		kind: boolean, reads: left.reads | right.reads,
		bounds: isBound(operator, left, right) || isBound(mirrored[operator], right, left),
		truth: func(w *Window) Tri {
			x, y := a(w), b(w)
			if x != x || y != y { // NaN
				return Unknown
			}
			return truth(holds(x, y))
		},
	}
}

// isBound tells whether "calls operator limit" cannot hold without calls: total >= 50 and total > 0 are bounds, total >= 0
// and total < 50 are not.
func isBound(operator string, calls, limit compiled) bool {
	if !calls.volume || !limit.constant {
		return false
	}
	least := limit.number(nil)
	switch operator {
	case ">":
		return least >= 0
	case ">=", "==":
		return least > 0
	}
	return false
}
