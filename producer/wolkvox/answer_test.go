package wolkvox

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorded returns a reply from testdata as the client would have read it.
func recorded(t testing.TB, name string) reply {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{
		op: opReport, status: response.StatusCode, header: response.Header, body: body,
		received: time.Date(2026, 11, 22, 15, 6, 30, 0, time.UTC),
	}
}

// counts completes the documented results with zeros.
func counts(some map[string]int64) map[string]int64 {
	all := map[string]int64{}
	for _, name := range Results {
		all[name] = 0
	}
	maps.Copy(all, some)
	return all
}

// understood is every recorded reply that is an answer.
var understood = map[string]struct {
	counts map[string]int64
	rows   int
}{
	"documented":            {map[string]int64{Cancel: 3, Chanunavail: 1, Congestion: 41, NoAnswer: 120, Busy: 20}, 5},
	"string-code":           {map[string]int64{NoAnswer: 120, Congestion: 43}, 3},
	"single-object":         {map[string]int64{TCPA: 7}, 1},
	"unlisted-results":      {map[string]int64{"numero_invalido": 9, "r_404": 2, Unnamed: 1}, 3},
	"data-null":             {nil, 0},
	"placeholder-only":      {nil, 0},
	"no-records":            {nil, 0},
	"no-records-status-200": {nil, 0},
}

func TestAnswers(t *testing.T) {
	for name, want := range understood {
		t.Run(name, func(t *testing.T) {
			answer, failed := readReport(recorded(t, name))
			if failed != nil {
				t.Fatal(failed)
			}
			if !maps.Equal(answer.Counts, counts(want.counts)) {
				t.Errorf("counts %v, want %v", answer.Counts, want.counts)
			}
			if len(answer.Rows) != want.rows || answer.Empty != (want.rows == 0) {
				t.Errorf("%d rows, empty %v; want %d rows", len(answer.Rows), answer.Empty, want.rows)
			}
			if answer.Empty && answer.Rows != nil {
				t.Error("an empty answer has rows that are not nil")
			}
		})
	}
}

// misunderstood is every recorded reply that is an error.
var misunderstood = map[string]Error{
	"unknown-api":            {Kind: KindRefused, Status: 400},
	"missing-parameters":     {Kind: KindRefused, Status: 400},
	"missing-token":          {Kind: KindRefused, Status: 401},
	"wrong-token":            {Kind: KindRefused, Status: 403},
	"wrong-token-status-200": {Kind: KindRefused, Status: 403},

	"quota":            {Kind: KindQuota, Status: 403},
	"quota-status-404": {Kind: KindQuota, Status: 403}, // not to be taken for "no records"
	"simultaneous":     {Kind: KindTokenBusy, Status: 403},
	"maintenance":      {Kind: KindMaintenance, Status: 403},
	"maintenance-html": {Kind: KindMaintenance, Status: 403},

	"proxy-404":            {Kind: KindRetry, Status: 404},
	"too-many-requests":    {Kind: KindRetry, Status: 429, RetryAfter: 2 * time.Minute},
	"unavailable":          {Kind: KindRetry, Status: 503, RetryAfter: 90 * time.Second},
	"gateway-timeout":      {Kind: KindRetry, Status: 504, Timeout: true},
	"html-200":             {Kind: KindRetry, Status: 200},
	"truncated":            {Kind: KindRetry, Status: 200},
	"trailing-garbage":     {Kind: KindRetry, Status: 200},
	"refusal-without-code": {Kind: KindRetry, Status: 200},

	"garbage-negative":         {Kind: KindGarbage, Status: 200},
	"garbage-fractional":       {Kind: KindGarbage, Status: 200},
	"garbage-exponent":         {Kind: KindGarbage, Status: 200},
	"garbage-thousands":        {Kind: KindGarbage, Status: 200},
	"garbage-word":             {Kind: KindGarbage, Status: 200},
	"garbage-blank":            {Kind: KindGarbage, Status: 200},
	"garbage-boolean":          {Kind: KindGarbage, Status: 200},
	"garbage-overflow":         {Kind: KindGarbage, Status: 200},
	"garbage-sum-overflow":     {Kind: KindGarbage, Status: 200},
	"garbage-data-text":        {Kind: KindGarbage, Status: 200},
	"garbage-rows-not-objects": {Kind: KindGarbage, Status: 200},
	"garbage-other-fields":     {Kind: KindGarbage, Status: 200}, // renamed fields must not read as no calls
	"rows-with-404":            {Kind: KindGarbage, Status: 404},
}

func TestErrors(t *testing.T) {
	for name, want := range misunderstood {
		t.Run(name, func(t *testing.T) {
			_, failed := readReport(recorded(t, name))
			if failed == nil {
				t.Fatalf("no error, want %v", want.Kind)
			}
			got := Error{Kind: failed.Kind, Status: failed.Status, RetryAfter: failed.RetryAfter, Timeout: failed.Timeout}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if failed.Kind == KindRefused && failed.Hint == "" {
				t.Error("only a person can help, and there is no hint")
			}
		})
	}
}

func TestEveryRecordingIsUsed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.http")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".http")
		_, answer := understood[name]
		_, failure := misunderstood[name]
		_, token := tokenReports[name]
		if !answer && !failure && !token {
			t.Errorf("%s is in no table", file)
		}
	}
}

// TestNotation holds what differs in bytes that a text file would not keep.
func TestNotation(t *testing.T) {
	plain := recorded(t, "documented")
	want, failed := readReport(plain)
	if failed != nil {
		t.Fatal(failed)
	}
	for name, rewrite := range map[string]func(string) string{
		"byte order mark": func(s string) string { return "\ufeff" + s },
		"CRLF":            func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"upper case keys": strings.NewReplacer(`"result"`, `"RESULT"`, `"count"`, `"Count"`, `"data"`, `"Data"`).Replace,
		"no code":         strings.NewReplacer(`"code": 200,`, ``).Replace,
		"more fields":     strings.NewReplacer(`"count"`, `"campaign": {"id": [1]}, "count"`).Replace,
	} {
		t.Run(name, func(t *testing.T) {
			r := plain
			r.body = []byte(rewrite(string(plain.body)))
			if bytes.Equal(r.body, plain.body) {
				t.Fatal("nothing was rewritten")
			}
			got, failed := readReport(r)
			if failed != nil {
				t.Fatal(failed)
			}
			if !maps.Equal(got.Counts, want.Counts) || got.Total != want.Total {
				t.Errorf("counts %v, want %v", got.Counts, want.Counts)
			}
		})
	}
}

func TestRowsAreKeptAsTheyCame(t *testing.T) {
	answer, failed := readReport(recorded(t, "string-code"))
	if failed != nil {
		t.Fatal(failed)
	}
	want := []Row{{"No contestada", "120"}, {"Congestión", " 41\r\n"}, {"CONGESTION", "2"}}
	for i, row := range want {
		if answer.Rows[i] != row {
			t.Errorf("row %d is %q, want %q", i, answer.Rows[i], row)
		}
	}
}

func TestServerClock(t *testing.T) {
	answer, failed := readReport(recorded(t, "documented"))
	if failed != nil {
		t.Fatal(failed)
	}
	if want := time.Date(2026, 11, 22, 15, 6, 30, 0, time.UTC); !answer.Date.Equal(want) {
		t.Errorf("date %v, want %v", answer.Date, want)
	}
}

func FuzzReadReport(f *testing.F) {
	for name := range understood {
		r := recorded(f, name)
		f.Add(r.status, r.body)
	}
	for name := range misunderstood {
		r := recorded(f, name)
		f.Add(r.status, r.body)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		answer, failed := readReport(reply{op: opReport, status: status, body: body})
		if failed != nil {
			checkError(t, failed)
			return
		}
		checkAnswer(t, answer)
		if status != http.StatusOK && status != http.StatusNotFound {
			t.Errorf("status %d gave an answer", status)
		}
	})
}

func checkError(t *testing.T, failed *Error) {
	t.Helper()
	if strings.HasPrefix(failed.Kind.String(), "kind(") {
		t.Errorf("unknown kind %v", failed.Kind)
	}
	if !strings.HasPrefix(failed.Error(), "wolkvox cdr_6") {
		t.Errorf("the error does not say what was asked: %v", failed)
	}
}

func checkAnswer(t *testing.T, answer Answer) {
	t.Helper()
	var sum int64
	for name, n := range answer.Counts {
		if n < 0 {
			t.Errorf("%s: %d", name, n)
		}
		if ResultName(name) != name {
			t.Errorf("%q is not a name, %q would be", name, ResultName(name))
		}
		sum += n
	}
	if sum != answer.Total {
		t.Errorf("total %d, counts add up to %d", answer.Total, sum)
	}
	if answer.Empty != (answer.Rows == nil) || (answer.Empty && answer.Total != 0) {
		t.Errorf("empty %v with %d rows, %d calls", answer.Empty, len(answer.Rows), answer.Total)
	}
	for _, name := range Results {
		if _, ok := answer.Counts[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
}

func BenchmarkReadReport(b *testing.B) {
	r := recorded(b, "documented")
	b.SetBytes(int64(len(r.body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, failed := readReport(r); failed != nil {
			b.Fatal(failed)
		}
	}
}
