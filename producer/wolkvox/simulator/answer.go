package simulator

import (
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"time"
)

// The API's scripts. Each knows its own reports only.
const (
	scriptReports     = "reports_manager.php"
	scriptInformation = "information.php"
)

// maxRange is the longest span that one request may ask about, in seconds.
const maxRange = 31 * 24 * 60 * 60

// maxInFlight is how many requests of one token the server works on at a time.
const maxInFlight = 2

// answer is the JSON that wraps everything, with the status to send it with.
// Code and error change their types, as in the real API.
type answer struct {
	status int

	Code  any    `json:"code"`
	Error any    `json:"error"`
	Msg   string `json:"msg"`
	Data  any    `json:"data"`
}

// The API's error answers.
var (
	answerNoAPI        = refusal(http.StatusBadRequest, "BAD REQUEST", "THE API YOU WANT TO CONSULT DOES NOT EXIST")
	answerNoParameters = refusal(http.StatusBadRequest, "BAD REQUEST", "SOME PARAMETERS ARE REQUIRED")
	answerTooLong      = refusal(http.StatusBadRequest, "BAD REQUEST", "THE DATE RANGE EXCEEDS 31 DAYS")
	answerNoToken      = refusal(http.StatusUnauthorized, "UNAUTHORIZED", "PLEASE ENTER THE WOLKVOX-TOKEN")
	answerWrongToken   = forbidden("PLEASE VALIDATE TOKEN")
	answerQuota        = forbidden("TOKEN LIMIT EXCEEDED")
	answerBusy         = forbidden("EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)")
	answerMaintenance  = forbidden("THE API IS DISABLED DURING MAINTENANCE")
	answerNoRecords    = refusal(http.StatusNotFound, "NOT FOUND", "NO RECORDS WERE FOUND")
)

func refusal(status int, class, msg string) answer {
	return answer{status: status, Code: status, Error: class, Msg: msg}
}

func forbidden(msg string) answer { return refusal(http.StatusForbidden, "FORBIDDEN", msg) }

func records(n int, data any) answer {
	return answer{
		status: http.StatusOK, Code: http.StatusOK, Data: data,
		Msg: strconv.Itoa(n) + " records were found",
	}
}

// write sends the answer.
func (a answer) write(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	// An error here means that the client is gone; it has seen that itself.
	_ = json.NewEncoder(w).Encode(a)
}

// decide returns the answer to a request, after charging for it.
func (s *Simulator) decide(r *http.Request, token string, inFlight int, now time.Time) answer {
	switch {
	case token == "":
		return answerNoToken
	case !s.accepts(token):
		return answerWrongToken
	}
	own, all := s.ledger.charge(now.In(s.options.Location).Format(time.DateOnly), token)
	quota := s.options.Licences * RequestsPerLicence
	switch {
	case quota > 0 && all > quota:
		return answerQuota
	case inFlight > maxInFlight:
		return answerBusy
	}
	switch script, api := path.Base(r.URL.Path), r.URL.Query().Get("api"); {
	case api == "":
		return answerNoParameters
	case script == scriptReports && api == "cdr_6":
		return s.report(r, now)
	case script == scriptInformation && api == "token_info":
		return s.tokenInfo(own, all)
	default:
		return answerNoAPI
	}
}

// report answers cdr_6.
func (s *Simulator) report(r *http.Request, now time.Time) answer {
	ini, end := r.URL.Query().Get("date_ini"), r.URL.Query().Get("date_end")
	first, err := parseWall(ini)
	if err != nil {
		return answerNoParameters
	}
	last, err := parseWall(end)
	if err != nil {
		return answerNoParameters
	}
	if last-first >= maxRange {
		return answerTooLong
	}
	c := s.story()
	counts := make([]int64, len(c.results))
	for _, span := range instants(s.options.Location, first, last) {
		for i, n := range c.sum(span.from, span.to, now.Unix()) {
			counts[i] += n
		}
	}
	return s.voice(ini+end).report(c.results, counts)
}

// tokenInfo answers token_info. Without a limit it still has to name one.
func (s *Simulator) tokenInfo(own, all int) answer {
	quota := s.options.Licences * RequestsPerLicence
	if quota == 0 {
		quota = 1_000_000_000
	}
	return s.voice("token_info").dress(records(1, []map[string]string{{
		"description":                   "simulated",
		"token_limit":                   strconv.Itoa(quota),
		"token_use_today":               strconv.Itoa(own),
		"all_token_today":               strconv.Itoa(all),
		"available_consumption_options": strconv.Itoa(quota - all),
	}}))
}
