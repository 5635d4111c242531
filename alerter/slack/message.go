package slack

import (
	"slices"
	"strings"
)

// Message is what is to be said, in words and without a form. Its texts are as they came from events and rules: whoever
// shows them cleans, escapes and cuts them. Only Mentions have Slack's form already, because they come from the
// configuration. The zero Message says nothing.
type Message struct {
	Icon        string   // one emoji: how bad, or over
	Headline    string   // state, result, share and operation; one line
	Aside       string   // what the notification says besides: since when, how late; the rest of the message says it, too
	Mentions    []string // who is called, in Slack's form
	Status      []string // who takes care of it, whether it is silenced; not in the notification
	Facts       []Fact   // the evidence, the window, since when; the first is in the notification, too
	OthersTitle string   // above Others; "" for none
	Others      []string // further alerts of the incident, one line each
	Advice      []string // which side it is on, and what to check first
	Link        Link     // the rule's runbook
	Notes       []string // the small print: how late, severity, labels
	More        string   // what stands for lines that were cut: "+%d more", in the message's language
	Buttons     Buttons  // what can be done about it at a touch
	Brief       bool     // a post in a thread: the advice is in the root, so the blocks do without

	// Transition and Incident are the ids that the post bears as metadata. They are for look-ups, never shown.
	Transition, Incident string
}

// Fact is one line: what stands out, and the rest.
type Fact struct{ Strong, Text string }

// String is the fact without emphasis.
func (f Fact) String() string { return strings.TrimSpace(f.Strong + f.Text) }

// Link is a link with its text. The zero Link is none.
type Link struct{ Text, URL string }

// Slack's limits, or what we keep to. Sections may be 3,000 long and there is an undocumented bound of about 13,000 on all
// blocks together, so the parts are kept below their own.
const (
	limitHeader  = 150
	limitText    = 3900 // chat.update refuses a text above 4,000
	limitNotice  = 400  // what a phone shows of a notification is shorter still
	limitSection = 3000
	limitOthers  = 2400
	limitAdvice  = 1800
	limitNotes   = 900
	limitLine    = 500 // one line of a list
)

// Notification is the text that phones show and that stands alone: the headline and the evidence.
func (m *Message) Notification() string {
	parts := []string{m.Icon + " " + m.Headline}
	if len(m.Facts) > 0 {
		parts = append(parts, m.Facts[0].String())
	}
	if m.Aside != "" {
		parts = append(parts, m.Aside)
	}
	text := cutEscaped(strings.Join(parts, " · "), limitNotice)
	if len(m.Mentions) > 0 {
		text = strings.Join(m.Mentions, " ") + " " + text
	}
	return text
}

// PlainText is the whole message as text, for when the blocks are refused.
func (m *Message) PlainText() string {
	lines := []string{cutEscaped(m.Icon+" "+m.Headline, limitLine)}
	if len(m.Mentions) > 0 {
		lines[0] = strings.Join(m.Mentions, " ") + " " + lines[0]
	}
	lines = append(lines, escapeLines(m.above())...)
	if others := fit(escapeLines(m.Others), limitOthers, m.more()); others != "" { // what comes below has its room, too
		lines = append(lines, others)
	}
	return fit(append(lines, escapeLines(m.below())...), limitText, m.more())
}

// lines are all lines below the headline, without form.
func (m *Message) lines() []string {
	return slices.Concat(m.above(), m.Others, m.below())
}

// above are the lines between the headline and the further alerts.
func (m *Message) above() []string {
	lines := slices.Clone(m.Status)
	for _, f := range m.Facts {
		lines = append(lines, f.String())
	}
	if len(m.Others) > 0 && m.OthersTitle != "" {
		lines = append(lines, m.OthersTitle)
	}
	return lines
}

// below are the lines after the further alerts.
func (m *Message) below() []string {
	lines := slices.Clone(m.Advice)
	if m.Link.URL != "" {
		lines = append(lines, m.Link.Text+": "+m.Link.URL)
	}
	return append(lines, m.Notes...)
}

func (m *Message) more() string {
	if m.More == "" {
		return "+%d more"
	}
	return m.More
}
