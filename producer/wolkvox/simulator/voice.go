package simulator

import (
	"strconv"
	"strings"
)

// voice is how an answer is phrased. The plain one is the documentation's; the
// others vary what the real API varies, by a seed.
type voice struct {
	quirks bool
	seed   uint64
}

// voice depends on the request alone, so that asking twice gives the same answer twice.
func (s *Simulator) voice(request string) voice {
	return voice{quirks: s.options.Quirks, seed: scramble(uint64(s.options.Seed)) ^ hashOf(request)}
}

// spellings are the ways in which the real API writes the documented results;
// the first is the usual one.
var spellings = map[string][]string{
	"busy":        {"BUSY", "busy", "Ocupado", "OCUPADO "},
	"cancel":      {"CANCEL", "cancel", "Cancelled", "CANCELADA"},
	"chanunavail": {"CHANUNAVAIL", "Chanunavail", "CHANNEL UNAVAILABLE", "Canal no disponible"},
	"congestion":  {"CONGESTION", "congestion", "Congestión", " CONGESTIÓN\r\n"},
	"do_not_call": {"DO NOT CALL", "Do not call", "DO-NOT-CALL", "DONOTCALL"},
	"no_answer":   {"NO ANSWER", "NO-ANSWER", "NOANSWER", "unattended", "No contestada"},
	"tcpa":        {"TCPA", "Tcpa", "tcpa"},
}

// row is a row of cdr_6; count is text, or a number when the API feels like it.
type row struct {
	Result string `json:"result"`
	Count  any    `json:"count"`
}

// report phrases the calls by result. Results without calls have no row.
func (v voice) report(results []string, counts []int64) answer {
	var rows []row
	for i, n := range counts {
		if n > 0 {
			rows = append(rows, row{v.result(results[i]), v.count(results[i], n)})
		}
	}
	if rows == nil {
		return v.dress(answerNoRecords)
	}
	if v.chance("placeholder", 4) {
		rows = append(rows, row{"", ""})
	}
	a := records(len(rows), rows)
	if len(rows) == 1 && v.chance("single", 2) {
		a.Data = rows[0]
	}
	return v.dress(a)
}

// dress varies the types around the data.
func (v voice) dress(a answer) answer {
	if v.chance("code", 2) {
		a.Code = strconv.Itoa(a.status)
	}
	if a.Error == nil && v.chance("error", 2) {
		a.Error = "null"
	}
	return a
}

func (v voice) result(name string) string {
	known := spellings[name]
	if known == nil {
		known = []string{strings.ToUpper(strings.ReplaceAll(name, "_", " "))}
	}
	return known[v.pick(name, len(known))]
}

func (v voice) count(name string, n int64) any {
	digits := strconv.FormatInt(n, 10)
	switch v.pick("count of "+name, 4) {
	case 1:
		return n
	case 2:
		return " " + digits
	case 3:
		return digits + "\r\n"
	default:
		return digits
	}
}

// chance is true for one in n requests, and never in the plain voice.
func (v voice) chance(what string, n int) bool { return v.pick(what, n) == n-1 }

// pick chooses below n; 0 in the plain voice.
func (v voice) pick(what string, n int) int {
	if !v.quirks {
		return 0
	}
	return int(scramble(v.seed^hashOf(what)) % uint64(n))
}
