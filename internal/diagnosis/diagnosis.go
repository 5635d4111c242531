// Package diagnosis is what a check found, for people and programs: one line each, and what to do about it.
package diagnosis

import (
	"fmt"
	"slices"
	"strings"
)

// Status is how a check ended.
type Status string

// The statuses of a check.
const (
	OK      Status = "ok"
	Warning Status = "warning" // works, and somebody should look at it
	Failed  Status = "failed"  // does not work, or will not
	Skipped Status = "skipped" // was not checked: not configured, or not visible from here
)

// Finding is what one check found. Its texts are for people and hold no secret; see [Findings.Redact].
type Finding struct {
	Area      string `json:"area"`                // what belongs together: nats, wolkvox, …
	Operation string `json:"operation,omitempty"` // empty: it concerns no single one
	Check     string `json:"check"`
	Status    Status `json:"status"`
	Detail    string `json:"detail"`         // what was found
	Next      string `json:"next,omitempty"` // what to do; empty: nothing
}

// Ok is a finding that nothing is wrong.
func Ok(check, format string, args ...any) Finding {
	return Finding{Check: check, Status: OK, Detail: fmt.Sprintf(format, args...)}
}

// Warn is a finding that somebody should look at. Next is what to do.
func Warn(check, next, format string, args ...any) Finding {
	return Finding{Check: check, Status: Warning, Detail: fmt.Sprintf(format, args...), Next: next}
}

// Fail is a finding that something does not work. Next is what to do.
func Fail(check, next, format string, args ...any) Finding {
	return Finding{Check: check, Status: Failed, Detail: fmt.Sprintf(format, args...), Next: next}
}

// Skip is a check that was not made. Next is what it takes to make it, or how to look oneself.
func Skip(check, next, format string, args ...any) Finding {
	return Finding{Check: check, Status: Skipped, Detail: fmt.Sprintf(format, args...), Next: next}
}

// Findings are what several checks found, in their order.
type Findings []Finding

// In says where findings belong: to an area and, unless it is empty, to an operation. It changes them in place.
func (f Findings) In(area, operation string) Findings {
	for i := range f {
		f[i].Area, f[i].Operation = area, operation
	}
	return f
}

// Count is how many findings have a status.
func (f Findings) Count(s Status) int {
	n := 0
	for i := range f {
		if f[i].Status == s {
			n++
		}
	}
	return n
}

// redacted stands where a secret was.
const redacted = "[redacted]"

// Redact takes secrets out of all texts, in place. No check is to put one in; but checks quote servers, and a server may repeat
// what it was sent.
func (f Findings) Redact(secrets []string) {
	longest := slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return len(b) - len(a) }) // one may begin another
	var pairs []string
	for _, s := range longest {
		if s != "" {
			pairs = append(pairs, s, redacted)
		}
	}
	r := strings.NewReplacer(pairs...)
	for i := range f {
		f[i].Detail, f[i].Next = r.Replace(f[i].Detail), r.Replace(f[i].Next)
	}
}
