package wolkvox

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"unconnected/producer/wolkvox/result"
)

// Row is one row of the report as it came, spelling and blanks included; a
// count that came as a number is its digits.
type Row struct{ Result, Count string }

// Answer is the report for one span of time.
type Answer struct {
	Rows   []Row            // as they came, without placeholders; nil when there are none
	Counts map[string]int64 // result name → calls; always has the documented Results
	Total  int64            // the sum of Counts
	Empty  bool             // the API said that there are no records

	// Date is the server's clock when it wrote the answer, UTC, in whole seconds
	// rounded down: that clock is no earlier now. Zero when the answer has none,
	// or comes from a cache.
	Date        time.Time
	RequestedAt time.Time // our clock, before sending
	ReceivedAt  time.Time // our clock, after the last byte
}

// readReport understands a reply to cdr_6.
func readReport(r reply) (Answer, *Error) {
	e, empty, failed := open(r)
	if failed != nil {
		return Answer{}, failed
	}
	answer := Answer{Date: serverDate(r.header), RequestedAt: r.requestedAt, ReceivedAt: r.received}
	err := answer.count(e.Data)
	if err == nil && empty && answer.Rows != nil {
		err = errors.New("the answer says that there are no records but has some")
	}
	if err != nil {
		return Answer{}, &Error{Kind: KindGarbage, Op: r.op, Status: r.status, Msg: words(e.Msg), Err: err}
	}
	return answer, nil
}

// leak is an error when a row repeats a secret: rows are stored as they came, for everybody to read.
func (a *Answer) leak(r reply) *Error {
	for i, row := range a.Rows {
		if r.redact.leaks(row.Result) {
			return &Error{Kind: KindGarbage, Op: r.op, Status: r.status, Err: fmt.Errorf("row %d: its result repeats a secret", i+1)}
		}
	}
	return nil
}

// count fills in rows, counts and total from the answer's data.
func (a *Answer) count(data json.RawMessage) error {
	a.Counts = make(map[string]int64, len(Results))
	for _, name := range Results {
		a.Counts[name] = 0
	}
	raw, err := rawRows(data)
	if err != nil {
		return err
	}
	for i, fields := range raw {
		row, err := fields.row()
		if err == nil {
			err = a.add(row)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	a.Empty = a.Rows == nil
	return nil
}

// rawRow keeps the two fields raw: an absent one is nil, which is not the same as blank.
type rawRow struct {
	Result json.RawMessage `json:"result"`
	Count  json.RawMessage `json:"count"`
}

// rawRows accepts a list of rows, one row alone, or none.
func rawRows(data json.RawMessage) ([]rawRow, error) {
	if blank(data) {
		return nil, nil
	}
	var rows []rawRow
	var err error
	switch data[0] {
	case '[':
		err = json.Unmarshal(data, &rows)
	case '{':
		rows = make([]rawRow, 1)
		err = json.Unmarshal(data, &rows[0])
	default:
		err = fmt.Errorf("neither rows nor a row: %s", excerpt(data))
	}
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return rows, nil
}

// row returns both fields as text. A row without a count is not a row of this
// report: dropping it could hide calls.
func (r rawRow) row() (Row, error) {
	if r.Count == nil {
		return Row{}, errors.New("there is no count")
	}
	name, err := text(r.Result)
	if err != nil {
		return Row{}, fmt.Errorf("result: %w", err)
	}
	count, err := text(r.Count)
	if err != nil {
		return Row{}, fmt.Errorf("count: %w", err)
	}
	return Row{name, count}, nil
}

// add counts a row in, unless it is the documented placeholder with both fields blank.
func (a *Answer) add(row Row) error {
	name, digits := strings.TrimSpace(row.Result), strings.TrimSpace(row.Count)
	if name == "" && digits == "" {
		return nil
	}
	calls, err := result.Count(digits)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if calls > math.MaxInt64-a.Total {
		return fmt.Errorf("%q: the sum exceeds 63 bits", name)
	}
	a.Rows = append(a.Rows, row)
	a.Counts[ResultName(name)] += calls
	a.Total += calls
	return nil
}
