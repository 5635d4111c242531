package rule

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"unconnected/alerter/baseline"
	"unconnected/internal/spelling"
)

// functions are the functions of the language and how they are called. Arguments in brackets can be left out.
var functions = map[string]string{
	"mean":           `mean("share.congestion", "1h")`,
	"median":         `median("total", 12)`,
	"max":            `max("count.busy", "1h")`,
	"sum":            `sum("total", 5)`,
	"same_time":      `same_time("total", "7d")`,
	"baseline":       `baseline("share.congestion"[, 0.5])`,
	"lift":           `lift("share.congestion")`,
	"ratio":          `ratio("share.congestion")`,
	"rarity":         `rarity("share.congestion"[, 3])`,
	"raised":         `raised("share.congestion", 0.06, 3)`,
	"learning":       `learning("share.congestion")`,
	"expected_total": `expected_total()`,
	"age":            `age()`,
	"missing":        `missing`,
	"status":         `status("refused", "quota")`,
}

func isFunction(name string) bool { return functions[name] != "" }

// arity is the least and the most arguments of a function.
var arity = map[string][2]int{
	"mean": {2, 2}, "median": {2, 2}, "max": {2, 2}, "sum": {2, 2}, "same_time": {2, 2},
	"baseline": {1, 2}, "lift": {1, 1}, "ratio": {1, 1}, "rarity": {1, 2}, "raised": {3, 3}, "learning": {1, 1},
	"status": {1, 16},
}

func (c *compiler) call(n *ast.CallNode) compiled {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	switch {
	case !ok:
		return c.fail(n, "only functions can be called")
	case !isFunction(callee.Value):
		return c.fail(n, "there is no function %s%s", callee.Value, spelling.DidYouMean(callee.Value, slices.Sorted(maps.Keys(functions))))
	}
	name := callee.Value
	if count, most := len(n.Arguments), arity[name]; count < most[0] || count > most[1] {
		return c.fail(n, "%s has the wrong number of arguments: %s", name, functions[name])
	}
	switch name {
	case "missing":
		return compiled{kind: boolean, reads: readsTick, truth: isMissing}
	case "status":
		return c.status(n)
	case "age":
		return compiled{kind: number, reads: readsPast, number: (*Window).age}
	case "expected_total":
		c.needs.volume = true
		return compiled{kind: number, reads: readsPast, number: (*Window).expected}
	case "mean", "median", "max", "sum":
		return c.overWindows(name, n)
	case "same_time":
		return c.sameTime(n)
	}
	return c.ofUsual(name, n)
}

// seriesArgument is the series that the first argument of a function names.
func (c *compiler) seriesArgument(name string, n *ast.CallNode) (*series, bool) {
	text, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		c.fail(n.Arguments[0], "%s needs the name of a series in quotes: %s", name, functions[name])
		return nil, false
	}
	return c.seriesIn(text.Value, text)
}

// constantArgument is the constant number that argument i of a function must be.
func (c *compiler) constantArgument(name string, n *ast.CallNode, i int) (float64, bool) {
	part := c.compile(n.Arguments[i])
	if part.kind != invalid && !part.constant {
		c.fail(n.Arguments[i], "%s needs a constant number here: %s", name, functions[name])
	}
	if !part.constant {
		return 0, false
	}
	return part.number(nil), true
}

// overWindows compiles the functions of a series in the windows before the present one.
func (c *compiler) overWindows(name string, n *ast.CallNode) compiled {
	s, ok := c.seriesArgument(name, n)
	span, spanOK := c.span(name, n.Arguments[1])
	if !ok || !spanOK {
		return compiled{}
	}
	at := c.needs.value(s, span)
	var of func([]float64, *Past) float64
	switch name {
	case "mean":
		of = func(v []float64, _ *Past) float64 { return total(v) / float64(len(v)) }
	case "sum":
		of = func(v []float64, _ *Past) float64 { return total(v) }
	case "max":
		of = func(v []float64, _ *Past) float64 { return slices.Max(v) }
	case "median":
		of = func(v []float64, p *Past) float64 { return p.history.median(v) }
	}
	out := compiled{kind: number, reads: readsPast, number: func(w *Window) float64 {
		known := w.past.values(w, at, span)
		if len(known) == 0 {
			return unknown
		}
		return finite(of(known, w.past))
	}}
	if s.share {
		out.reads |= readsShare
	}
	return out
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// sameTime compiles the function of what a series was at the same time of an earlier day.
func (c *compiler) sameTime(n *ast.CallNode) compiled {
	s, ok := c.seriesArgument("same_time", n)
	text, isText := n.Arguments[1].(*ast.StringNode)
	if !ok || !isText {
		if ok {
			c.fail(n.Arguments[1], `same_time needs a number of days: "1d", "7d"`)
		}
		return compiled{}
	}
	d, err := parseDuration(text.Value)
	days := int(d / (24 * time.Hour))
	if err != nil || d != time.Duration(days)*24*time.Hour || days < 1 || days > baseline.MaxDaysAgo {
		return c.fail(text, `same_time looks back whole days, "1d" to "%dd"`, baseline.MaxDaysAgo)
	}
	at := c.needs.earlier(s)
	out := compiled{kind: number, reads: readsPast, number: func(w *Window) float64 { return w.past.sameTime(at, days) }}
	if s.share {
		out.reads |= readsShare
	}
	return out
}

// ofUsual compiles the functions that compare with what is usual.
func (c *compiler) ofUsual(name string, n *ast.CallNode) compiled {
	s, ok := c.seriesArgument(name, n)
	if !ok {
		return compiled{}
	}
	if !s.share {
		return c.fail(n.Arguments[0], "%s is about shares: %s", name, functions[name])
	}
	var arguments [2]float64
	for i := range n.Arguments[1:] {
		if arguments[i], ok = c.constantArgument(name, n, i+1); !ok {
			return compiled{}
		}
	}
	at := c.needs.share(s)
	out := compiled{kind: number, reads: readsPast | readsShare}
	switch name {
	case "learning":
		return compiled{kind: boolean, reads: readsPast, truth: func(w *Window) Tri { return w.past.learning(at) }}
	case "baseline":
		first := unknown
		if len(n.Arguments) > 1 {
			if first = arguments[0]; first < 0 || first > 1 {
				return c.fail(n.Arguments[1], "a first guess at a share is between 0 and 1")
			}
		}
		out.number = func(w *Window) float64 { return w.past.usualOr(at, first) }
	case "lift":
		out.number = func(w *Window) float64 { return s.value(w) - w.past.usualOr(at, unknown) }
	case "ratio":
		out.reads |= readsPlain
		out.number = func(w *Window) float64 { return s.value(w) / w.past.usualOr(at, unknown) }
	case "rarity":
		windows := max(1, int(arguments[0]))
		if len(n.Arguments) > 1 && !isWindows(arguments[0]) {
			return c.fail(n.Arguments[1], "rarity pools 1 to %d windows", maxPooled)
		}
		out.reads |= readsPlain
		out.number = func(w *Window) float64 { return w.past.rarity(w, s, at, windows) }
	case "raised":
		if !isWindows(arguments[1]) {
			return c.fail(n.Arguments[2], "raised looks at 1 to %d windows", maxPooled)
		}
		out.reads |= readsPlain
		points, windows := arguments[0], int(arguments[1])
		out.number = func(w *Window) float64 { return w.past.raised(w, s, at, points, windows) }
	}
	return out
}

// maxPooled is how many windows can be pooled.
const maxPooled = 3

func isWindows(v float64) bool { return v == math.Trunc(v) && v >= 1 && v <= maxPooled }

// reach is how far back a function looks: a number of windows, or a time.
type reach struct {
	windows int64
	seconds int64 // 0 when it is a number of windows
}

// in is the span in seconds and in windows, for windows of a length in seconds: one at least.
func (s reach) in(length int64) (seconds, windows int64) {
	if s.seconds == 0 {
		return s.windows * length, s.windows
	}
	return max(s.seconds, length), max(1, s.seconds/length)
}

// Limits of a reach.
const (
	maxBack    = 31 * 24 * time.Hour
	maxWindows = 4096
)

// span reads the argument that says how far back a function looks.
func (c *compiler) span(name string, n ast.Node) (s reach, ok bool) {
	text, isText := n.(*ast.StringNode)
	if !isText {
		part := c.compile(n)
		if part.kind == invalid {
			return s, false
		}
		if !part.constant || part.number(nil) != math.Trunc(part.number(nil)) || part.number(nil) < 1 || part.number(nil) > maxWindows {
			c.fail(n, `%s looks back a time, "1h", or 1 to %d windows: %s`, name, maxWindows, functions[name])
			return s, false
		}
		return reach{windows: int64(part.number(nil))}, true
	}
	d, err := parseDuration(text.Value)
	if err != nil || d < time.Second || d > maxBack {
		c.fail(n, `%s looks back from "1s" to "31d", not %q`, name, text.Value)
		return s, false
	}
	return reach{seconds: int64(d / time.Second)}, true
}

// parseDuration reads a duration of Go, or a number of days or weeks: 7d, 2w.
func parseDuration(text string) (time.Duration, error) {
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, found := strings.CutSuffix(text, unit); found {
			count, err := strconv.ParseUint(number, 10, 10)
			return time.Duration(count) * length, err
		}
	}
	d, err := time.ParseDuration(text)
	if err == nil && d <= 0 {
		err = errors.New("it is not above zero")
	}
	return d, err
}
