// Package result knows how the API spells the results of unconnected calls and their numbers: under which name a row of the
// report cdr_6 is counted, and how many calls it stands for. It is pure, so that whoever checks counts against the rows
// they came from counts as the client did.
package result

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The documented results of unconnected calls.
const (
	Busy        = "busy"
	Cancel      = "cancel"
	Chanunavail = "chanunavail" // no channel could be had: trunk or carrier
	Congestion  = "congestion"  // the network refused the call
	DoNotCall   = "do_not_call" // the number is on the blacklist
	NoAnswer    = "no_answer"
	TCPA        = "tcpa" // the customer was called as often as allowed in 24 hours
)

// Documented lists the documented results in alphabetical order. Do not modify.
var Documented = []string{Busy, Cancel, Chanunavail, Congestion, DoNotCall, NoAnswer, TCPA}

// Unnamed is the name of calls that were counted under a blank name, or under
// one without a single letter or digit of the Latin alphabet.
const Unnamed = "unnamed"

// aliases leads from every known spelling to the documented name. Keys are
// squashed: lower case, without accents, blanks and punctuation.
//
// Only spellings of one of the documented results belong here: a result that
// merely resembles one is new information and keeps its own name.
var aliases = map[string]string{
	"busy": Busy, "ocupado": Busy, "ocupada": Busy,

	"cancel": Cancel, "cancelled": Cancel, "canceled": Cancel,
	"cancelada": Cancel, "cancelado": Cancel,

	"chanunavail": Chanunavail, "chanunavailable": Chanunavail,
	"channelunavail": Chanunavail, "channelunavailable": Chanunavail,
	"canalnodisponible": Chanunavail,

	"congestion": Congestion, "congestionada": Congestion, "congestionado": Congestion,

	"donotcall": DoNotCall, "nollamar": DoNotCall,

	"noanswer": NoAnswer, "unattended": NoAnswer, "unanswered": NoAnswer,
	"nocontestada": NoAnswer, "nocontestado": NoAnswer, "nocontesta": NoAnswer,
	"noatendida": NoAnswer, "desatendida": NoAnswer,

	"tcpa": TCPA,
}

// Name returns the name under which calls of a reported result are
// counted: that of the documented result if it is a spelling of one, else its
// own in snake_case (lower case, accents stripped, every other run of
// characters one underscore, "r_" before a digit). It never returns "".
//
//	Name("NO-ANSWER")       // no_answer
//	Name("Congestión")      // congestion
//	Name("Número inválido") // numero_invalido
//	Name("404")             // r_404
//	Name("  ")              // unnamed
func Name(reported string) string {
	name := snakeCase(stripAccents(strings.ToLower(reported)))
	if documented, ok := aliases[strings.ReplaceAll(name, "_", "")]; ok {
		return documented
	}
	switch {
	case name == "":
		return Unnamed
	case name[0] <= '9':
		return "r_" + name
	default:
		return name
	}
}

// stripAccents removes the marks from letters that carry some: ó becomes o, ñ becomes n.
func stripAccents(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// snakeCase keeps the lower-case letters and digits of ASCII and joins what was
// apart with single underscores.
func snakeCase(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	apart := false
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			apart = true
			continue
		}
		if apart && b.Len() > 0 {
			b.WriteByte('_')
		}
		apart = false
		b.WriteRune(r)
	}
	return b.String()
}

// Count is the number of calls that a row reports, blanks around it or not. It accepts digits only: "1,234", "41.0" and
// "4.1e1" are refused, because it is better to ask again than to guess what a new notation means.
func Count(reported string) (int64, error) {
	digits := strings.TrimSpace(reported)
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("count %q is not a whole number of calls", digits)
	}
	return int64(n), nil
}
