package rule

import (
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"unconnected/internal/spelling"
)

// Status is what the producer says that it is doing for an operation. The zero Status says nothing.
type Status struct {
	State   string    // ok, catching up, retrying, quota, refused, maintenance, starting; "" when nobody knows
	Reason  string    // why, in the producer's words; "" when all is well
	Since   time.Time // of the state
	NextTry time.Time // zero when nothing is tried
}

// Tick is what is known of an operation between messages: what the conditions missing and status look at.
type Tick struct {
	// Missing is whether windows that should have come have not; Unknown while that is not decided, such as shortly after
	// a connection came back.
	Missing Tri
	Status  Status
}

// ObserveTick is what expressions see at a tick. Everything about windows is unknown then.
func ObserveTick(t Tick) Window { return Window{tick: &t} }

// producerStates are the states that an operation can be in.
var producerStates = []string{"starting", "ok", "catching up", "retrying", "quota", "refused", "maintenance"}

// status compiles the condition on what the producer is doing.
func (c *compiler) status(n *ast.CallNode) compiled {
	var states []string
	for _, argument := range n.Arguments {
		text, ok := argument.(*ast.StringNode)
		if !ok {
			return c.fail(argument, "status needs names of states in quotes: %s", functions["status"])
		}
		if !slices.Contains(producerStates, text.Value) {
			return c.fail(argument, "the producer has no state %q%s; its states are %s", text.Value,
				spelling.DidYouMean(text.Value, producerStates), strings.Join(producerStates, ", "))
		}
		states = append(states, text.Value)
	}
	return compiled{kind: boolean, reads: readsTick, truth: func(w *Window) Tri {
		if w.tick == nil || w.tick.Status.State == "" {
			return Unknown
		}
		return truth(slices.Contains(states, w.tick.Status.State))
	}}
}

func isMissing(w *Window) Tri {
	if w.tick == nil {
		return Unknown
	}
	return w.tick.Missing
}
