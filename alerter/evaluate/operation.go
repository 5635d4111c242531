package evaluate

import (
	"math"
	"time"

	"unconnected/alerter/rule"
	"unconnected/events"
)

// Options are what evaluation depends on besides messages and rules.
type Options struct {
	// MaxAge is how long after the end of the newest window a revision or a backfill may have been stored to make an
	// alert fire. Zero or less: only corrections that were stored before that end.
	MaxAge time.Duration
	// Zone is where hours and holidays are looked up; nil is the timezone of the event that brought the newest window,
	// or UTC when nobody knows that name.
	Zone *time.Location
	// Judged, if it is not nil, is told each verdict when it is made, in the order of the set for each window.
	Judged func(Judgement)
}

// Operation is the states of all rules that apply to one operation, folded from its log. Use [New]. An Operation is not
// safe for concurrent use.
type Operation struct {
	name    string
	options Options
	rules   *rule.Set
	tracks  []track
	hours   bool // somebody asks for local times
	ticking bool // some rule is judged at ticks
	back    bool // some rule looks at the past
	history *rule.History

	memory memory
	window events.Window // the newest live one, or a hole's last; zero before the first
	newest rule.Window   // what is known of it
	seen   rule.Window   // the one that is being judged, with what is behind it: kept, so that none is allocated
	tick   tick          // what is known between windows

	timezone string         // of the newest live event
	zone     *time.Location // of options or of timezone; nil before the first event
}

// New returns the state of an operation before the first message of its log.
func New(operation string, rules *rule.Set, options Options) *Operation {
	o := &Operation{
		name: operation, options: options, rules: rules, zone: options.Zone, history: rule.NewHistory(rules, operation),
	}
	o.hours = o.history.NeedsLocalTime()
	span := 1
	for _, r := range rules.Rules {
		if !r.AppliesTo(operation) {
			continue
		}
		o.tracks = append(o.tracks, track{rule: r, past: o.history.Of(r)})
		o.hours = o.hours || r.HasHours()
		o.ticking = o.ticking || r.OnTicks()
		o.back = o.back || r.LooksBack()
		span = max(span, r.For.M, r.Keep)
	}
	o.memory = newMemory(len(o.tracks), span)
	return o
}

// Name is the operation's name.
func (o *Operation) Name() string { return o.name }

// Window is the newest live window; the zero Window before the first.
func (o *Operation) Window() events.Window { return o.window }

// Apply folds the next message of the operation's log, in the order in which messages were stored. It tells whether an
// alert began to fire or was resolved. Messages of other operations, and those that the log should not have (see the
// package comment), change nothing.
func (o *Operation) Apply(ev *events.Event) (changed bool) {
	if ev.Operation != o.name || ev.Window.Start.Unix() >= ev.Window.End.Unix() || fromFuture(ev) {
		return false
	}
	if ev.IsLive() {
		return o.live(ev)
	}
	return o.correct(ev)
}

// skew is how far the clocks of producer and server may differ, generously.
const skew = 24 * time.Hour

// fromFuture tells whether an event counts calls that had not happened when it was stored. It was not written by a
// producer; taken for the newest window it would hide all that follow.
func fromFuture(ev *events.Event) bool {
	return !ev.Stored.IsZero() && ev.Window.End.Sub(ev.Stored) > skew
}

// live takes the next window in.
func (o *Operation) live(ev *events.Event) (changed bool) {
	if !o.window.IsZero() && ev.Window.Start.Before(o.window.End) {
		return false // repeated or overlapping
	}
	o.locate(ev.Timezone)
	o.tick.arrived(ev)
	changed = o.fill(ev.Window)
	return o.advance(ev.Window, rule.Observe(ev), revisionOf(ev)) || changed
}

func revisionOf(ev *events.Event) int {
	if ev.Missed != nil {
		return missing
	}
	return ev.Revision
}

// Timezone is the IANA name of the zone in which the newest live window was asked for; "" before the first.
func (o *Operation) Timezone() string { return o.timezone }

// locate finds the zone for hours and holidays.
func (o *Operation) locate(timezone string) {
	if o.options.Zone == nil && (o.zone == nil || timezone != o.timezone) {
		zone, err := time.LoadLocation(timezone)
		if err != nil {
			zone = time.UTC
		}
		o.zone = zone
	}
	o.timezone = timezone
}

// fill puts unknown windows where the log has a hole before the next one, of that one's length: what is not there is
// unknown, whether it was marked as missed or not. Of a long hole only as much is filled as rules look back.
func (o *Operation) fill(next events.Window) (changed bool) {
	if o.window.IsZero() || !o.window.End.Before(next.Start) {
		return false
	}
	end, length := o.window.End, next.Length()
	hole := next.Start.Sub(end)
	count := hole / length
	if hole%length != 0 {
		count++
	}
	for k := min(count, time.Duration(o.memory.span)); k > 0; k-- {
		w := events.Window{Start: next.Start.Add(-k * length), End: next.Start.Add((1 - k) * length)}
		if w.Start.Before(end) {
			w.Start = end
		}
		changed = o.advance(w, rule.Window{}, missing) || changed
	}
	return changed
}

// advance makes a window the newest one and judges it.
func (o *Operation) advance(window events.Window, w rule.Window, revision int) (changed bool) {
	o.window, o.newest = window, w
	local := o.local(window.Start)
	o.memory.push(slot{start: window.Start.Unix(), end: window.End.Unix(), revision: revision})
	o.history.Observe(&o.newest, local)
	o.judge(o.memory.n-1, &o.newest)
	for i := range o.tracks {
		o.tracks[i].observe(&o.memory, i)
	}
	changed = o.step(local, true)
	changed = o.rebase() || changed
	o.exclude()
	o.history.Settle(local.Holiday())
	return changed
}

// local is an instant on the clocks of the operation; the zero Local when nobody asks for it.
func (o *Operation) local(t time.Time) rule.Local {
	if !o.hours {
		return rule.Local{}
	}
	return o.rules.LocalOf(t, o.zone)
}

// judge remembers all rules' verdicts on remembered window i.
func (o *Operation) judge(i int, w *rule.Window) {
	for at := range o.tracks {
		t := &o.tracks[at]
		if t.rule.OnTicks() {
			o.memory.set(i, at, 0, math.NaN())
			continue
		}
		o.seen = w.Behind(t.past)
		v := t.rule.Eval(&o.seen)
		o.memory.set(i, at, markOf(v, w), v.Value)
		if o.options.Judged != nil {
			o.tell(i, at, &o.seen, v)
		}
	}
}

// step moves all rules' states to the newest window.
func (o *Operation) step(local rule.Local, mayFire bool) (changed bool) {
	for i := range o.tracks {
		t := &o.tracks[i]
		if t.rule.OnTicks() {
			continue
		}
		inHours := !o.hours || t.rule.InLocalHours(local)
		changed = t.step(&o.memory, i, inHours, mayFire) || changed
	}
	return changed
}

// rebaseAfter is for how long an alert may compare with what was usual before it, in seconds: what lasts two days is usual.
const rebaseAfter = 48 * 3600

// rebase ends the alerts that have become usual.
func (o *Operation) rebase() (changed bool) {
	end := o.memory.newest().end
	for i := range o.tracks {
		t := &o.tracks[i]
		if t.firing && t.past.Compares() && end-t.startsAt >= rebaseAfter {
			o.history.Rebase(t.past)
			changed = t.resolve(events.ReasonRebased, end, end)
		}
	}
	return changed
}

// exclude keeps the newest window out of what the firing rules compare with.
func (o *Operation) exclude() {
	for i := range o.tracks {
		if t := &o.tracks[i]; t.firing {
			o.history.Exclude(t.past)
		}
	}
}

// correct takes a revision or a backfill in, and judges the newest window again.
func (o *Operation) correct(ev *events.Event) (changed bool) {
	i, ok := o.memory.find(ev.Window.Start.Unix(), ev.Window.End.Unix())
	if !ok {
		o.enrich(ev)
		return false
	}
	if revisionOf(ev) <= o.memory.at(i).revision {
		return false
	}
	w := rule.Observe(ev)
	wasKnown := o.memory.at(i).revision != missing
	o.memory.at(i).revision = ev.Revision
	o.exclude()
	o.history.Correct(&w, o.local(ev.Window.Start), wasKnown)
	o.judge(i, &w)
	last := o.memory.n - 1
	switch {
	case i == last:
		o.newest = w
	case o.back: // something in its past has changed
		o.judge(last, &o.newest)
	}
	for at := range o.tracks {
		o.tracks[at].revise(&o.memory, at, i)
	}
	return o.step(o.local(o.window.Start), ev.Stored.Sub(o.window.End) <= o.options.MaxAge)
}

// enrich takes a backfilled window that lies before all that is remembered into what is usual. It judges nothing.
func (o *Operation) enrich(ev *events.Event) {
	if !ev.Backfill || ev.Revision != 0 || o.memory.n > 0 && ev.Window.End.Unix() > o.memory.at(0).start {
		return
	}
	if o.zone == nil {
		o.locate(ev.Timezone)
	}
	w := rule.Observe(ev)
	o.history.Fill(&w, o.local(ev.Window.Start))
}
