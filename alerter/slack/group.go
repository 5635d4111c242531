package slack

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"unconnected/alerter/incident"
)

// How many operations, or kinds of alert, a group's headline or notification names.
const (
	groupNames  = 4
	groupTitles = 3
)

// Group is the message that opens for several incidents of one channel, as they are. id is that of the group, posted when
// it is, or was, posted; unmuted is when the first silence ended that had kept the members from being told, zero when one was not
// silenced. There must be a member. It has no buttons: those are on the members' details in its thread.
func (c *Composer) Group(id string, members []incident.Incident, posted, unmuted time.Time) Message {
	g := c.group(members)
	m := g.message(id)
	m.Notes = append(m.Notes, g.words.groupThread)
	open := g.open()
	switch all := g.operations(g.members); {
	case len(open) == 0:
		m.Icon, m.Headline = iconOver, g.over()
		if !g.improved() {
			m.Icon = iconClosed
		}
		return g.marked(m)
	case len(open) < len(g.members):
		some := g.words.Decimal(float64(distinct(open)), 0)
		m.Headline = fmt.Sprintf(g.words.groupSome, some, all, g.titles(open))
	default:
		m.Headline = fmt.Sprintf(g.words.groupOf, all, g.titles(open))
	}
	g.alarm(&m, open)
	first, began := g.first(unmuted)
	late := first.late(began, posted)
	m.Aside = joined(g.named(open), late)
	if late != "" {
		m.Notes = append([]string{late}, m.Notes...)
	}
	m.Notes = append(first.silencedBefore(began, posted), m.Notes...)
	return g.marked(m)
}

// LastOfGroup is m, the post for the end of the last member, as the whole channel reads it: that all is over comes first.
func (c *Composer) LastOfGroup(m Message, members []incident.Incident) Message {
	g := c.group(members)
	m.Facts = append([]Fact{{Text: m.Headline}}, m.Facts...)
	m.Headline = g.over()
	return m
}

// over says that no member fires any more.
func (g *group) over() string {
	phrase := g.words.groupOver
	if !g.improved() {
		phrase = g.words.groupClosed
	}
	return fmt.Sprintf(phrase, g.operations(g.members), g.titles(g.members))
}

// improved tells whether all members, none of which fires, are over because things are better.
func (g *group) improved() bool {
	return !slices.ContainsFunc(g.members, func(d *draft) bool { return !improved(d.inc.Lead()) })
}

// GroupReminder is the post that mentions again the members of a group that still fire and that nobody takes care of. unmuted is
// when a silence of some of them ended, if that is why; else zero.
func (c *Composer) GroupReminder(id string, members []incident.Incident, now, unmuted time.Time) Message {
	g := c.group(slices.DeleteFunc(slices.Clone(members), func(i incident.Incident) bool { return !i.Open || i.Acked != nil }))
	m := g.message(id)
	m.Brief = true
	if len(g.members) == 0 { // it was taken care of while the post was on its way
		return m
	}
	first := slices.MinFunc(g.members, func(a, b *draft) int { return a.inc.Start.Compare(b.inc.Start) })
	lasted := g.words.duration(now.Sub(first.inc.Start))
	m.Headline = fmt.Sprintf(g.words.groupReminder, lasted, g.operations(g.members), g.titles(g.members))
	g.alarm(&m, g.members)
	m.Facts, m.Aside, m.Advice, m.Mentions = c.unattended(), g.named(g.members), nil, nil
	if !unmuted.IsZero() {
		m.Facts = append([]Fact{first.silenceOver(unmuted, now)}, m.Facts...)
	}
	return g.marked(m)
}

// group is a message about several incidents being written.
type group struct {
	*Composer
	words   *words
	members []*draft // the most urgent first
	apart   bool     // they live in different zones
}

func (c *Composer) group(members []incident.Incident) *group {
	g := group{Composer: c, words: wordsFor(c.Language)}
	for i := range members {
		g.members = append(g.members, c.draft(&members[i]))
	}
	slices.SortFunc(g.members, compareMembers)
	for _, d := range g.members {
		g.apart = g.apart || d.zone.String() != g.members[0].zone.String()
	}
	return &g
}

// compareMembers puts the most urgent first: as incidents are compared, but of several equally severe ones the highest share.
func compareMembers(a, b *draft) int {
	if a.inc.Open != b.inc.Open || a.inc.Severity() != b.inc.Severity() {
		return a.inc.Compare(b.inc)
	}
	return cmp.Or(cmp.Compare(b.leadShare(), a.leadShare()), a.inc.Compare(b.inc))
}

// leadShare is the value of the alert that leads; 0 when that is no share.
func (d *draft) leadShare() float64 {
	lead := d.inc.Lead()
	if lead.Latest.Value == nil || !d.subject(&lead.Latest).share {
		return 0
	}
	return *lead.Latest.Value
}

// message is the part that all messages about the group have: a line for each member, and what their times mean.
func (g *group) message(id string) Message {
	m := Message{Icon: Icon(""), Headline: g.operations(nil), Transition: id, Incident: id, More: g.words.more}
	same := len(titlesOf(g.members)) == 1
	for _, d := range g.members {
		m.Others = append(m.Others, g.line(d, same))
	}
	if len(g.members) > 0 && !g.apart {
		at := g.members[0].latest()
		m.Notes = []string{joined(fmt.Sprintf(g.words.timesIn, g.words.date(at)+", "+zone(at)), g.asOf())}
	}
	return m
}

// asOf says of when the newest of the values are.
func (g *group) asOf() string {
	var newest time.Time
	for _, d := range g.open() {
		if lead := d.inc.Lead(); lead.Latest.Window != nil && lead.Latest.At().After(newest) {
			newest = lead.Latest.At()
		}
	}
	if newest.IsZero() {
		return ""
	}
	return fmt.Sprintf(g.words.valuesAsOf, g.words.from(newest.In(g.members[0].zone), g.members[0].latest()))
}

// alarm is what a group with members that fire has beside its headline.
func (g *group) alarm(m *Message, open []*draft) {
	lead := open[0].inc.Lead()
	m.Icon = Icon(open[0].inc.Severity())
	if distinct(open) > 1 {
		m.Advice = []string{g.words.groupShared}
	}
	if len(titlesOf(open)) == 1 {
		s := open[0].subject(&lead.Latest)
		m.Advice = append(m.Advice, s.advice()...)
	}
	m.Mentions = (&group{members: open}).mentions()
}

// mentions are those of all members that fire, each once.
func (g *group) mentions() []string {
	var all []string
	for _, d := range g.members {
		for _, mention := range d.mentions(d.inc) {
			if !slices.Contains(all, mention) {
				all = append(all, mention)
			}
		}
	}
	return all
}

// marked is m, marked as a drill when all members are.
func (g *group) marked(m Message) Message {
	for _, d := range g.members {
		if !d.drill() {
			return m
		}
	}
	return g.members[0].marked(m)
}

// line is one member: 🔴 Ventas Bogotá · Congestion 44% · usual 13% · since 09:55 · 👀 Ana Gómez.
func (g *group) line(d *draft, same bool) string {
	lead := d.inc.Lead()
	a, s, around := &lead.Latest, d.subject(&lead.Latest), g.members[0].latest()
	title := s.title
	if same {
		title = ""
	}
	if !d.inc.Open {
		from, to := d.inc.Start.In(d.zone), d.inc.End.In(d.zone)
		peak := ""
		if lead.Peak != nil {
			peak = fmt.Sprintf(g.words.peak, s.value(*lead.Peak))
		}
		span := g.words.when(from, around) + "–" + clock(to) + g.apartness(to)
		mark := iconOver
		if !improved(lead) {
			mark = iconClosed
		}
		return mark + " " + joined(g.name(d.inc.Operation), title, peak, span, g.words.duration(to.Sub(from)))
	}
	value, usual := "", ""
	if a.Value != nil {
		value = s.value(*a.Value)
	}
	if o := a.Observed; s.share && o != nil && o.Usual != nil {
		usual = strings.TrimPrefix(fmt.Sprintf(g.words.usual, g.words.Percent(*o.Usual)), " · ")
	}
	since := a.StartsAt.In(d.zone)
	mark, who := Icon(a.Severity), ""
	if d.drill() {
		mark = "🧪"
	}
	if by := d.inc.Acked; by != nil {
		who = "👀 " + g.words.person(by.By)
	}
	return mark + " " + joined(g.name(d.inc.Operation), strings.TrimSpace(title+" "+value), usual,
		fmt.Sprintf(g.words.otherSince, g.words.from(since, around.In(d.zone)))+g.apartness(since), who)
}

// apartness is the zone of a time, where the members live in several.
func (g *group) apartness(t time.Time) string {
	if !g.apart {
		return ""
	}
	return " " + Offset(t)
}

func (g *group) open() []*draft {
	return slices.DeleteFunc(slices.Clone(g.members), func(d *draft) bool { return !d.inc.Open })
}

func (g *group) operations(members []*draft) string {
	return g.words.count(g.words.operations, int64(distinct(members)))
}

// distinct counts operations.
func distinct(members []*draft) int {
	seen := make(map[string]bool)
	for _, d := range members {
		seen[d.inc.Operation] = true
	}
	return len(seen)
}

// titlesOf counts what the members' headlines would speak of.
func titlesOf(members []*draft) map[string]int {
	counts := make(map[string]int)
	for _, d := range members {
		lead := d.inc.Lead()
		counts[d.subject(&lead.Latest).title]++
	}
	return counts
}

// titles names what is wrong: congestion; congestion (8), busy (3), no data (1).
func (g *group) titles(members []*draft) string {
	counts := titlesOf(members)
	titles := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	})
	if len(titles) == 1 {
		return lowerFirst(titles[0])
	}
	var parts []string
	for _, title := range titles[:min(len(titles), groupTitles)] {
		parts = append(parts, lowerFirst(shortened(title, limitName))+" ("+g.words.Decimal(float64(counts[title]), 0)+")")
	}
	return g.andMore(parts, len(titles))
}

// named are the most urgent members with their values, for the notification.
func (g *group) named(members []*draft) string {
	var parts []string
	for _, d := range members[:min(len(members), groupNames)] {
		lead := d.inc.Lead()
		name := shortened(d.name(d.inc.Operation), limitName)
		if value := lead.Latest.Value; value != nil {
			name += " " + d.subject(&lead.Latest).value(*value)
		}
		parts = append(parts, name)
	}
	return g.andMore(parts, len(members))
}

func (g *group) andMore(parts []string, all int) string {
	text := strings.Join(parts, ", ")
	if rest := all - len(parts); rest > 0 {
		text += " " + fmt.Sprintf(g.words.more, rest)
	}
	return text
}

// first is the member that waited longest to be told, which nobody wanted before unmuted, and when it began.
func (g *group) first(unmuted time.Time) (first *draft, began time.Time) {
	first = slices.MinFunc(g.members, func(a, b *draft) int {
		return a.inc.Transitions[0].At().Compare(b.inc.Transitions[0].At())
	})
	first.unmuted = unmuted
	return first, first.inc.Transitions[0].At()
}
