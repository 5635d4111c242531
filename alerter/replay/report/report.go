package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"unconnected/alerter/replay"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// Page is what a page tells. Result must have been made with [replay.Options].Values, or there are no plots.
type Page struct {
	Result *replay.Result
	Name   string // what people call the rules: a file's name

	Against     *replay.Result // another set of rules, on the same windows; nil when there is none
	AgainstName string

	Suggestions []replay.Suggestion // with SuggestFor, the most alerts a week; none when nobody asked
	SuggestFor  float64

	Source   string         // where the windows come from
	Zone     *time.Location // of all times; nil is the zone of each incident
	Language string         // of titles, "en" or "es"
	Made     time.Time
}

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Parse(pageHTML))

// Write writes the page.
func Write(w io.Writer, p *Page) error {
	if err := page.Execute(w, viewOf(p)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// view is the page as the template shows it: texts, and places in percent.
type view struct {
	Name, Against, Source string
	Span, Made            string
	Facts                 []fact
	Rules                 []ruleRow
	Pairs                 []pairRow
	SuggestFor            string
	Suggestions           []suggestionRow
	Incidents             []incidentView
	Notes                 []string
}

type fact struct{ Value, Label string }

type ruleRow struct {
	Title, Severity, Expr, Firing string
	Alerts, PerWeek               string
	Mine, Theirs                  bool   // which of the two sets has it
	OtherAlerts, OtherPerWeek     string // of the set it is compared with
}

type pairRow struct {
	Start, Operation string
	A, B             string // what each set of rules told; empty for nothing
}

type suggestionRow struct {
	Title, Present, PresentRate string
	Best, BestRate, Clear       string
	Why                         string // there is none
	Caught, Missed, New         int
	Examples                    []string
}

type incidentView struct {
	Anchor, Severity, Title, Operation string
	When, Lasted, Delay, Peak          string
	Alerts                             []alertView
	Plots                              []*plot
}

type alertView struct{ Title, Severity, Fired, Ended, Peak, Threshold, Summary string }

func viewOf(p *Page) *view {
	r := p.Result
	v := &view{
		Name: p.Name, Against: p.AgainstName, Source: p.Source, Made: p.Made.UTC().Format("2 Jan 2006 15:04 MST"),
		Facts: p.facts(), Rules: p.rules(), Notes: p.notes(), Suggestions: p.suggestions(), SuggestFor: trimmed(p.SuggestFor, 2),
	}
	if r.Windows > 0 {
		zone := p.zone("")
		v.Span = r.From.In(zone).Format(dayAndTime) + " – " + r.To.In(zone).Format(dayAndTime+" MST")
	}
	if p.Against != nil {
		for _, pair := range replay.Compare(r, p.Against) {
			v.Pairs = append(v.Pairs, p.pair(pair))
		}
	}
	for i := range r.Incidents {
		v.Incidents = append(v.Incidents, p.incident(i, &r.Incidents[i]))
	}
	return v
}

// zone is where the times of an incident are told; of the page as a whole when the name is empty.
func (p *Page) zone(name string) *time.Location {
	if p.Zone != nil {
		return p.Zone
	}
	if name == "" && len(p.Result.Incidents) > 0 {
		name = p.Result.Incidents[0].Timezone
	}
	return zoneOf(name)
}

func (p *Page) facts() []fact {
	r := p.Result
	delays := make([]time.Duration, len(r.Incidents))
	for i := range r.Incidents {
		delays[i] = r.Incidents[i].Delay()
	}
	slices.Sort(delays)
	median := "–"
	if len(delays) > 0 {
		median = span(delays[len(delays)/2])
	}
	return []fact{
		{whole(len(r.Incidents)), "incidents"},
		{trimmed(r.PerWeek(len(r.Incidents)), 1), "a week"},
		{median, "until told, median"},
		{whole(r.Windows), "windows"},
		{whole(r.Unknown), "of them unknown"},
		{fmt.Sprint(len(r.Operations)), "operations"},
	}
}

func (p *Page) rules() (rows []ruleRow) {
	others := map[string]replay.RuleSummary{}
	var order []replay.RuleSummary
	if p.Against != nil {
		order = p.Against.PerRule()
		for _, s := range order {
			others[s.Rule.Name] = s
		}
	}
	for _, s := range p.Result.PerRule() {
		row := p.ruleRow(s.Rule)
		row.Mine, row.Alerts, row.PerWeek, row.Firing = true, fmt.Sprint(s.Alerts), trimmed(p.Result.PerWeek(s.Alerts), 2), span(s.Firing)
		if other, ok := others[s.Rule.Name]; ok {
			row.Theirs, row.OtherAlerts, row.OtherPerWeek = true, fmt.Sprint(other.Alerts), trimmed(p.Against.PerWeek(other.Alerts), 2)
		}
		rows = append(rows, row)
	}
	for _, s := range order {
		if p.Result.Rules.Find(s.Rule.Name) == nil {
			row := p.ruleRow(s.Rule)
			row.Theirs, row.OtherAlerts, row.OtherPerWeek = true, fmt.Sprint(s.Alerts), trimmed(p.Against.PerWeek(s.Alerts), 2)
			rows = append(rows, row)
		}
	}
	return rows
}

func (p *Page) ruleRow(r *rule.Rule) ruleRow {
	return ruleRow{Title: r.Title(p.Language), Severity: r.Severity, Expr: r.Expr}
}

func (p *Page) notes() (notes []string) {
	r := p.Result
	if len(r.LeftOut) > 0 {
		notes = append(notes, "Left out, because history does not tell what did not come: the conditions on the clock of "+strings.Join(r.LeftOut, ", ")+".")
	}
	if weeks := r.Weeks(); r.Windows > 0 && weeks < 1 {
		notes = append(notes, "Less than a week of windows: alerts a week are an extrapolation.")
	}
	if len(r.Incidents) > 0 {
		notes = append(notes, "In a plot, red ground is the time of the alert, and grey are windows whose value nobody knows: they were missed, or had no calls.")
	}
	return append(notes, "“Until told” counts from the start of the first window that counted to the end of the one that fired; "+
		"what a window takes to be asked for and stored comes on top.")
}

func (p *Page) pair(pair replay.Pair) pairRow {
	first := pair.A
	if first == nil {
		first = pair.B
	}
	told := func(i *replay.Incident) string {
		if i == nil {
			return ""
		}
		zone := p.zone(i.Timezone)
		text := fmt.Sprintf("%s: told %s", names(i, p.Language), i.Told.In(zone).Format("15:04"))
		if i.End.IsZero() {
			return text + ", still firing"
		}
		return text + ", " + span(i.End.Sub(i.Start)) + " long"
	}
	return pairRow{
		Start: first.Start.In(p.zone(first.Timezone)).Format(dayAndTime), Operation: first.Operation, A: told(pair.A), B: told(pair.B),
	}
}

func (p *Page) suggestions() (rows []suggestionRow) {
	const examples = 5
	for _, s := range p.Suggestions {
		share := s.Rule.ValueIsShare()
		row := suggestionRow{
			Title: s.Rule.Title(p.Language), Present: number(s.Present.Threshold, share), PresentRate: trimmed(s.Present.PerWeek, 2),
			Caught: len(s.Caught), Missed: len(s.Missed), New: len(s.New),
		}
		if s.Constant != "" {
			row.Title += ", " + s.Constant
		}
		switch {
		case s.Err != nil:
			row.Why = "its expression does not compare a number with the threshold"
		case s.Best == nil:
			row.Why = "no threshold from a fifth to five times the present one keeps to it"
		default:
			row.Best, row.BestRate, row.Clear = number(s.Best.Threshold, share), trimmed(s.Best.PerWeek, 2), s.Best.Clear
		}
		for i := range s.Missed {
			if i == examples {
				row.Examples = append(row.Examples, fmt.Sprintf("and %d more", len(s.Missed)-examples))
				break
			}
			a := &s.Missed[i]
			row.Examples = append(row.Examples, fmt.Sprintf("%s, %s, at most %s", a.Start.In(p.zone(a.Timezone)).Format(dayAndTime), a.Operation, optional(a.Peak, share)))
		}
		rows = append(rows, row)
	}
	return rows
}

func (p *Page) incident(place int, i *replay.Incident) incidentView {
	zone := p.zone(i.Timezone)
	start := i.Start.In(zone)
	v := incidentView{
		Anchor: fmt.Sprintf("i%d", place+1), Severity: i.Severity, Title: names(i, p.Language), Operation: i.Operation,
		When:   start.Format(dayAndTime) + " – " + until(start, inZone(i.End, zone)),
		Lasted: span(duration(i.Start, i.End, p.Result.To)), Delay: span(i.Delay()), Peak: "–",
	}
	if worst := i.Peak(); worst != nil {
		v.Peak = optional(worst.Peak, worst.Rule.ValueIsShare())
	}
	drawn := map[*rule.Rule]bool{}
	for at := range i.Alerts {
		a := &i.Alerts[at]
		v.Alerts = append(v.Alerts, p.alert(a, zone))
		if drawn[a.Rule] { // it fired again in the same incident, nearby
			continue
		}
		drawn[a.Rule] = true
		if drawing := plotOf(p.Result, a, zone, p.Language); drawing != nil {
			v.Plots = append(v.Plots, drawing)
		}
	}
	return v
}

func (p *Page) alert(a *replay.Alert, zone *time.Location) alertView {
	share := a.Rule.ValueIsShare()
	v := alertView{
		Title: a.Rule.Title(p.Language), Severity: a.Severity, Summary: a.Summary,
		Fired: a.Told.In(zone).Format("15:04") + ", after " + span(a.Delay()), Ended: "still firing",
		Peak: "–", Threshold: optional(a.Threshold, share),
	}
	if a.Peak != nil {
		v.Peak = number(*a.Peak, share) + " at " + a.PeakAt.In(zone).Format("15:04")
	}
	if !a.End.IsZero() {
		v.Ended = "ended " + until(a.Start.In(zone), a.End.In(zone))
	}
	if a.Reason != "" && a.Reason != events.ReasonCleared {
		v.Ended += " (" + strings.ReplaceAll(a.Reason, "_", " ") + ")"
	}
	return v
}

// inZone keeps the zero time, which is no time.
func inZone(t time.Time, zone *time.Location) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(zone)
}
