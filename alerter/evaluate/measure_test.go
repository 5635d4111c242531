package evaluate_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// The measurement of the built-in pack on simulated operations with labelled incidents (see simulated_test.go):
//
//	go test ./alerter/evaluate -run TestMeasure -v -measure.operations 300 -measure.weeks 8
//
// prints what was found, how fast, and the false alarms a week of one operation. It takes about ten seconds for a hundred
// operations and weeks. -measure.rules takes another rules file.
var (
	measureOperations = flag.Int("measure.operations", 30, "simulated operations that TestMeasure judges")
	measureWeeks      = flag.Int("measure.weeks", 2, "weeks of each")
	measureRules      = flag.String("measure.rules", "", "a rules file; empty means the built-in pack")
	measureSeed       = flag.Uint64("measure.seed", 1, "another one gives other operations")
	measureList       = flag.Int("measure.list", 0, "how many false alarms and missed incidents to list")
)

// tally is what a group of operations or incidents gave.
type tally struct {
	incidents, found, inTwo int
	delays                  []int // windows from the beginning of an incident up to its alert, both counted

	weeks           float64
	critical, other int // false alarms
}

func (t *tally) String() string {
	var parts []string
	if t.incidents > 0 {
		slices.Sort(t.delays)
		median, most := 0, 0
		if len(t.delays) > 0 {
			median, most = t.delays[len(t.delays)/2], t.delays[len(t.delays)*95/100]
		}
		parts = append(parts, fmt.Sprintf("%5d incidents  found %5.1f%%  within two windows %5.1f%%  delay %d (95%%: %d)",
			t.incidents, 100*float64(t.found)/float64(t.incidents), 100*float64(t.inTwo)/float64(t.incidents), median, most))
	}
	if t.weeks > 0 {
		parts = append(parts, fmt.Sprintf("%6.0f operation-weeks  false alarms a week: critical %.4f  warning %.4f",
			t.weeks, float64(t.critical)/t.weeks, float64(t.other)/t.weeks))
	}
	return strings.Join(parts, "  ")
}

// measurement is the tallies by group, in the order in which to print them.
type measurement struct {
	groups map[string]*tally
	listed []string
}

func (m *measurement) of(group string) *tally {
	if m.groups[group] == nil {
		m.groups[group] = new(tally)
	}
	return m.groups[group]
}

// episode is a time during which alerts of a kind fired on an operation.
type episode struct {
	from, to int // windows; the first that fired and the last
	critical bool
	first    string // the rule
}

// judge runs the pack over an operation and gives the episodes of critical and of other alerts.
func judge(set *rule.Set, o *simulated, windows int) (episodes []episode) {
	operation := evaluate.New(o.name, set, options)
	open := map[bool]*episode{}
	var ev events.Event
	for i := range windows {
		o.window(i, &ev)
		operation.Apply(&ev)
		firing := map[bool]string{}
		for _, s := range operation.States() {
			if s.Firing {
				firing[s.Rule.Severity == events.Critical] = s.Rule.Name
			}
		}
		for _, critical := range []bool{true, false} {
			e := open[critical]
			switch name := firing[critical]; {
			case name != "" && e == nil:
				open[critical] = &episode{from: i, to: i, critical: critical, first: name}
			case name != "":
				e.to = i
			case e != nil:
				episodes = append(episodes, *e)
				delete(open, critical)
			}
		}
	}
	for _, e := range open {
		episodes = append(episodes, *e)
	}
	return episodes
}

// count tallies the episodes of an operation against its labels.
func (m *measurement) count(o *simulated, episodes []episode, windows int) {
	for _, label := range o.labels {
		delay := 0
		for _, e := range episodes {
			if e.critical && e.to >= label.from && e.from < label.to+2 {
				if at := max(1, e.from-label.from+1); delay == 0 || at < delay {
					delay = at
				}
			}
		}
		size := fmt.Sprintf("%2.0f points", 100*label.points)
		for _, group := range []string{
			"A " + size + ", all", "B " + size + ", " + o.class() + ", usual congestion " + o.level(),
		} {
			t := m.of(group)
			t.incidents++
			if delay > 0 {
				t.found++
				t.delays = append(t.delays, delay)
			}
			if delay > 0 && delay <= 2 {
				t.inTwo++
			}
		}
		if delay == 0 && o.volume >= 20 && label.points >= 0.2 {
			m.list("missed: %s %+v", o, label)
		}
	}
	groups := []string{everywhere, "D " + o.class(), "E usual congestion " + o.level()}
	for _, group := range append(groups, firstDay) {
		m.of(group).weeks += float64(windows) / perWeek
	}
	m.of(firstDay).weeks += 1.0/7 - float64(windows)/perWeek
	for _, e := range episodes {
		if o.labelled(e.from, e.to) {
			continue
		}
		m.list("false: %s %+v at %s", o, e, o.at(e.from).Format("Mon 15:04"))
		in := append(groups, "G first rule "+e.first)
		m.of("G first rule " + e.first).weeks = m.of(everywhere).weeks
		if e.from < perDay {
			in = append(in, firstDay)
		}
		for _, group := range in {
			if e.critical {
				m.of(group).critical++
			} else {
				m.of(group).other++
			}
		}
	}
}

// Groups of operations that are looked up by name. Their first letter is where they are printed.
const (
	everywhere = "C all"
	firstDay   = "F on the first day"
	promised   = "B 20 points, 100 calls a window and more, usual congestion  5%"
)

func (m *measurement) list(format string, args ...any) {
	if len(m.listed) < *measureList {
		m.listed = append(m.listed, fmt.Sprintf(format, args...))
	}
}

// measure runs a number of operations of a seed through a set of rules.
func measure(set *rule.Set, operations, weeks int, seed uint64) *measurement {
	m := &measurement{groups: map[string]*tally{}}
	for n := range operations {
		o := newSimulated(seed, n, weeks)
		m.count(o, judge(set, o, weeks*perWeek), weeks*perWeek)
	}
	return m
}

// TestMeasure holds the pack to what the design promises, on few operations; with flags it is the measurement itself.
func TestMeasure(t *testing.T) {
	t.Parallel()
	set := rule.Builtin()
	if *measureRules != "" {
		var err error
		if set, err = rule.Load(*measureRules); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	m := measure(set, *measureOperations, *measureWeeks, *measureSeed)
	for _, group := range slices.Sorted(maps.Keys(m.groups)) {
		t.Logf("%-66s %v", group[2:], m.groups[group])
	}
	for _, line := range m.listed {
		t.Log(line)
	}
	t.Logf("%d operations, %d weeks each, in %v", *measureOperations, *measureWeeks, time.Since(began).Round(time.Millisecond))
	all, twenty := m.of(everywhere), m.of(promised)
	if alarms := float64(all.critical) / all.weeks; alarms > 0.1 {
		t.Errorf("%.3f false alarms a week of an operation", alarms)
	}
	if twenty.incidents == 0 || float64(twenty.inTwo)/float64(twenty.incidents) < 0.95 {
		t.Errorf("of incidents of 20 points: %v", twenty)
	}
}
