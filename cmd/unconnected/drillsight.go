package main

import (
	"encoding/json"
	"fmt"
	"time"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// firingDrill is an alert that looks like a real one, marked as a test.
func firingDrill(cause events.Cause, labels map[string]string) events.Alert {
	value, threshold := 0.44, 0.2
	at := time.Unix(cause.Tick, 0).UTC()
	return events.Alert{
		Operation: events.DrillOperation, Rule: events.DrillRule, Severity: events.Critical, Status: events.Firing, StartsAt: at,
		Value: &value, Threshold: &threshold, Labels: labels, Incident: events.DrillOperation + "/" + at.Format(time.RFC3339),
		Summary: "44% congestion (476 of 1,073 unconnected calls)", Cause: cause,
		Observed: &events.Observed{Total: 1073, Counts: map[string]int64{events.Congestion: 476, events.NoAnswer: 597}},
	}
}

// resolvedDrill ends one that fires.
func resolvedDrill(fired events.Alert, cause events.Cause) events.Alert {
	a := fired
	ends := time.Unix(cause.Tick, 0).UTC()
	if ends.Before(a.StartsAt) {
		ends = a.StartsAt
	}
	value := 0.03
	a.Status, a.EndsAt, a.Reason, a.Value, a.Cause = events.Resolved, &ends, events.ReasonCleared, &value, cause
	a.Observed, a.Sequence, a.Stored = nil, 0, time.Time{}
	return a
}

// drillSight is what the records of a drill's incident have shown so far.
type drillSight struct {
	fired, resolved   uint64    // sequences in ALERTS; resolved is 0 before
	began, resolvedAt time.Time // when they were stored
	records           map[string]incident.Record
	said              map[string]bool
}

// take takes a record, and returns what it shows that was not said before.
func (s *drillSight) take(value []byte, now time.Time) []string {
	var rec incident.Record
	if json.Unmarshal(value, &rec) != nil {
		return nil
	}
	if s.records == nil {
		s.records, s.said = make(map[string]incident.Record), make(map[string]bool)
	}
	s.records[rec.Channel] = rec
	var lines []string
	once := func(line string, since time.Time) {
		key := rec.Channel + " " + line
		if s.said[key] {
			return
		}
		s.said[key] = true
		if !since.IsZero() {
			line += fmt.Sprintf(" after %.1f s", now.Sub(since).Seconds())
		}
		lines = append(lines, line)
	}
	if rec.Root.Posted {
		once("posted in "+rec.Channel+message(&rec), s.began)
	}
	if rec.Root.Gone {
		once("not posted in "+rec.Channel+": a silence covers it, or somebody deleted the message", time.Time{})
	}
	if t := rec.Trouble; t != nil {
		once("waits for "+rec.Channel+": "+troubleWords(t), time.Time{})
	}
	if s.resolved > 0 && s.settled(&rec) {
		once("resolved in "+rec.Channel, s.resolvedAt)
	}
	return lines
}

// message names the message, for whoever wants to find it.
func message(rec *incident.Record) string {
	if rec.Root.TS == "" {
		return ""
	}
	return fmt.Sprintf(" (%s, message %s)", rec.ChannelID, rec.Root.TS)
}

func troubleWords(t *incident.Trouble) string {
	if t.Hint == "" {
		return t.Code
	}
	return t.Code + "; " + t.Hint
}

// isTold tells whether every channel that is to be told has been, and some is.
func (s *drillSight) isTold() bool {
	for _, rec := range s.records {
		if !rec.Root.Posted && !rec.Root.Gone && rec.Root.Group == "" {
			return false
		}
	}
	return len(s.records) > 0
}

// isOver tells whether every channel shows that it is over.
func (s *drillSight) isOver() bool {
	for _, rec := range s.records {
		if !s.settled(&rec) {
			return false
		}
	}
	return s.resolved > 0 && len(s.records) > 0
}

// settled tells whether a channel shows the end: its line is posted, and its message, where there is one that can be changed,
// edited.
func (s *drillSight) settled(rec *incident.Record) bool {
	if rec.Root.Gone {
		return true
	}
	edited := rec.Root.Shown >= s.resolved || rec.Root.TS == "" || rec.Root.Group != ""
	return edited && rec.Line.Done >= s.resolved
}

// why is what keeps a channel from being told, as far as its record says.
func (s *drillSight) why() string {
	for _, rec := range s.records {
		if rec.Trouble != nil {
			return rec.Channel + ": " + troubleWords(rec.Trouble)
		}
	}
	return ""
}
