package people

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/events"
)

// Status is what /unconnected status tells.
type Status struct {
	Open        []incident.Incident  // the most urgent first
	Silences    []incident.Silence   // all that are kept
	Checkpoints map[string]time.Time // :: operation → how far it was judged
	Unwell      []string             // what is not as it should be, one line each
	Notes       []string             // what else there is to know, one line each
	Now         time.Time
}

// Wording is how people are spoken to.
type Wording struct {
	Language string                             // "es", or English
	Zone     *time.Location                     // ALERT_TIMEZONE; nil for each operation's own
	Names    map[string]string                  // ALERT_OPERATION_NAMES :: operation → what people call it
	Title    func(rule, language string) string // what people call a rule; nil for the rule's name
}

// mostLines is how many lines of a section are told.
const mostLines = 12

// Tell is the status in lines, of one operation, or of all when operation is "". People may also name it as they call it.
func Tell(s Status, operation string, v Wording) []string {
	w := wordsFor(v.Language)
	if operation != "" {
		known, ok := v.find(operation, s.Checkpoints)
		if !ok {
			names := slices.Sorted(maps.Keys(s.Checkpoints))
			return []string{fmt.Sprintf(w.unknownOperation, operation, strings.Join(names, ", ")), w.help}
		}
		s = s.of(known)
	}
	lines := v.incidents(&s, w)
	lines = append(lines, v.silences(&s, w)...)
	lines = append(lines, v.checkpoints(&s, w)...)
	if len(s.Unwell) == 0 {
		lines = append(lines, w.wellPhrase)
	} else {
		lines = append(append(lines, w.unwell), capped(bullets(s.Unwell), w)...)
	}
	if len(s.Notes) > 0 {
		lines = append(append(lines, w.notes), capped(bullets(s.Notes), w)...)
	}
	return lines
}

// find is the operation that people mean.
func (v *Wording) find(name string, known map[string]time.Time) (operation string, ok bool) {
	for operation := range known {
		if strings.EqualFold(operation, name) || strings.EqualFold(v.Names[operation], name) {
			return operation, true
		}
	}
	return "", false
}

// of is the status of one operation.
func (s Status) of(operation string) Status {
	s.Open = slices.DeleteFunc(slices.Clone(s.Open), func(i incident.Incident) bool { return i.Operation != operation })
	s.Silences = slices.DeleteFunc(slices.Clone(s.Silences), func(silence incident.Silence) bool {
		return silence.Operation != operation && silence.Operation != events.AllOperations
	})
	s.Checkpoints = map[string]time.Time{operation: s.Checkpoints[operation]}
	return s
}

func (v *Wording) incidents(s *Status, w *words) []string {
	var lines []string
	for i := range s.Open {
		lines = append(lines, v.incident(&s.Open[i], s, w))
	}
	switch len(lines) {
	case 0:
		return []string{w.noIncident}
	case 1:
		return append([]string{w.oneIncident}, lines...)
	}
	return append([]string{fmt.Sprintf(w.incidents, len(lines))}, capped(lines, w)...)
}

// incident is one line: what, where, since when, who is on it, and whether it is silent.
func (v *Wording) incident(inc *incident.Incident, s *Status, w *words) string {
	here := Situation{Zone: v.zone(inc), Now: s.Now}
	lead := inc.Lead()
	parts := []string{fmt.Sprintf(w.since, w.moment(inc.Start, here)+" "+slack.Offset(inc.Start.In(here.Zone)))}
	if inc.Acked != nil {
		parts = append(parts, fmt.Sprintf(w.ackedBy, inc.Acked.By, w.moment(inc.Acked.At, here)))
	} else {
		parts = append(parts, w.nobody)
	}
	if mute := incident.MuteOf(inc, s.Silences, s.Now); mute.Active() {
		parts = append(parts, fmt.Sprintf(w.silentUntil, w.moment(mute.Until, here), mute.By))
	}
	return slack.Icon(inc.Severity()) + " " + v.title(lead.Rule()) + ", " + v.name(inc.Operation) + ": " + strings.Join(parts, " · ")
}

func (v *Wording) zone(inc *incident.Incident) *time.Location { return slack.ZoneOf(inc, v.Zone) }

func (v *Wording) name(operation string) string { return cmp.Or(v.Names[operation], operation) }

func (v *Wording) title(rule string) string {
	if v.Title == nil {
		return rule
	}
	return cmp.Or(v.Title(rule, v.Language), rule)
}

// silences are those that hold now or will.
func (v *Wording) silences(s *Status, w *words) []string {
	zone := v.Zone
	if zone == nil {
		zone = time.UTC
		if len(s.Open) > 0 {
			zone = v.zone(&s.Open[0])
		}
	}
	here := Situation{Zone: zone, Now: s.Now}
	var lines []string
	for _, silence := range s.Silences {
		if !silence.Until.After(s.Now) {
			continue
		}
		operation, rules := v.name(silence.Operation), w.allRules
		if silence.Operation == events.AllOperations {
			operation = w.allOperations
		}
		if len(silence.Rules) > 0 {
			titles := make([]string, len(silence.Rules))
			for i, rule := range silence.Rules {
				titles[i] = v.title(rule)
			}
			rules = strings.Join(titles, ", ")
		}
		when := fmt.Sprintf(w.until, w.moment(silence.Until, here)+" "+slack.Offset(silence.Until.In(zone)))
		if silence.From.After(s.Now) {
			when = fmt.Sprintf(w.from, w.moment(silence.From, here)) + " " + when
		}
		line := fmt.Sprintf(w.silenceLine, operation, rules, when, silence.By)
		if silence.Reason != "" {
			line += ": " + silence.Reason
		}
		lines = append(lines, "🔕 "+line+" ("+silence.ID+")")
	}
	if len(lines) == 0 {
		return nil
	}
	return append([]string{w.silences}, capped(lines, w)...)
}

// checkpoints tell how far each operation was judged, the one furthest behind first.
func (v *Wording) checkpoints(s *Status, w *words) []string {
	if len(s.Checkpoints) == 0 {
		return []string{w.notJudged}
	}
	operations := slices.SortedFunc(maps.Keys(s.Checkpoints), func(a, b string) int {
		return cmp.Or(s.Checkpoints[a].Compare(s.Checkpoints[b]), strings.Compare(a, b))
	})
	lines := make([]string, len(operations))
	for i, operation := range operations {
		lines[i] = "• " + fmt.Sprintf(w.ago, v.name(operation), ago(s.Now.Sub(s.Checkpoints[operation])))
	}
	return append([]string{w.judged}, capped(lines, w)...)
}

// ago is a length of time in its largest unit.
func ago(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 2*time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " d"
}

func bullets(texts []string) []string {
	lines := make([]string, len(texts))
	for i, text := range texts {
		lines[i] = "• " + text
	}
	return lines
}

// capped cuts a list and says so.
func capped(lines []string, w *words) []string {
	if len(lines) <= mostLines {
		return lines
	}
	return append(slices.Clone(lines[:mostLines]), fmt.Sprintf(w.more, len(lines)-mostLines))
}
