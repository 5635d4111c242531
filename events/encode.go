package events

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// eventJSON is the data of a CALLS message. Pointers tell absent from zero: a missed marker has no total, no counts and
// no rows, while an empty window has a total of 0 and an empty list.
type eventJSON struct {
	Operation string            `json:"operation"`
	Server    string            `json:"server,omitempty"`
	Timezone  string            `json:"timezone"`
	Window    Window            `json:"window"`
	Revision  int               `json:"revision"`
	Total     *int64            `json:"total,omitempty"`
	Counts    *map[string]int64 `json:"counts,omitempty"`
	Reported  *[]Reported       `json:"reported,omitempty"`
	Ambiguous bool              `json:"ambiguous,omitempty"`
	Missed    *Missed           `json:"missed,omitempty"`
	PolledAt  string            `json:"polled_at"`
}

// Encode makes the message that stores e: its subject, its CloudEvents headers, its id for deduplication, its data. An
// event that breaks the contract is refused.
func Encode(e *Event) (*nats.Msg, error) {
	if err := e.checkMessage(); err != nil {
		return nil, fmt.Errorf("events: encode %.200s: %w", e.ID(), err)
	}
	data, err := MarshalData(e)
	if err != nil {
		return nil, err
	}
	if len(data) > maxData {
		return nil, fmt.Errorf("events: encode %s: %w", e.ID(), errTooLarge)
	}
	header := envelope{
		typ: e.Type(), source: e.Source, subject: e.Operation, id: e.ID(), schema: SchemaCalls, time: e.Window.End,
	}.header()
	header[HeaderCheckpoint] = []string{e.Checkpoint.UTC().Format(time.RFC3339)}
	if !e.Reconciled.IsZero() {
		header[HeaderReconciled] = []string{e.Reconciled.header()}
	}
	if e.Backfill {
		header[HeaderBackfill] = []string{"1"}
	}
	return &nats.Msg{Subject: Subject(e.Operation), Header: header, Data: data}, nil
}

// MarshalData is the JSON data of e, as it is stored, without the headers.
func MarshalData(e *Event) ([]byte, error) {
	data := eventJSON{
		Operation: e.Operation, Server: e.Server, Timezone: e.Timezone,
		Window:    Window{e.Window.Start.UTC(), e.Window.End.UTC()},
		Revision:  e.Revision,
		Ambiguous: e.Ambiguous, Missed: e.Missed,
		PolledAt: e.PolledAt.UTC().Format("2006-01-02T15:04:05.000Z"),
	}
	if e.Missed == nil {
		counts, reported := withDocumented(e.Counts), e.Reported
		if reported == nil {
			reported = []Reported{}
		}
		data.Total, data.Counts, data.Reported = &e.Total, &counts, &reported
	}
	b, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("events: encode %s: %w", e.ID(), err)
	}
	return b, nil
}

// withDocumented adds the documented results that counts lacks, at zero, to a copy of it if any is missing.
func withDocumented(counts map[string]int64) map[string]int64 {
	whole := counts
	for _, result := range documented {
		if _, ok := counts[result]; ok {
			continue
		}
		if len(whole) == len(counts) {
			whole = make(map[string]int64, len(counts)+7)
			for r, n := range counts {
				whole[r] = n
			}
		}
		whole[result] = 0
	}
	return whole
}

// EncodeAlert makes the message that stores a.
func EncodeAlert(a *Alert) (*nats.Msg, error) {
	if err := a.Validate(); err != nil {
		return nil, fmt.Errorf("events: encode %.400s: %w", a.ID(), err)
	}
	stored := *a
	stored.toUTC()
	if stored.Labels == nil {
		stored.Labels = map[string]string{}
	}
	data, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("events: encode %s: %w", a.ID(), err)
	}
	if len(data) > maxData {
		return nil, fmt.Errorf("events: encode %s: %w", a.ID(), errTooLarge)
	}
	header := envelope{
		typ: TypeAlert, source: "//unconnected/alerter", subject: a.Operation, id: a.ID(), schema: SchemaAlerts, time: a.At(),
	}.header()
	header[HeaderCause] = []string{a.Cause.String()}
	return &nats.Msg{Subject: AlertSubject(a.Operation, a.Rule), Header: header, Data: data}, nil
}
