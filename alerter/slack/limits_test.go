package slack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"unconnected/events"
)

// nasty are texts that want to ring, to link, to break the form or to be too long.
var nasty = []string{
	"<!channel> <!here> <@U012AB3CD> <!subteam^S012AB3CD> @here @CHANNEL @everyone",
	"<https://evil.example|click> & <b>", "a\nb\r\nc\td\x00e\x1b[31mf\x7f", "right\u202Eleft\u2066 zero\u200Bwidth", "\xff\xfe broken \xc3",
	strings.Repeat("&", 5000), strings.Repeat("é<", 5000), strings.Repeat("🔥", 5000), strings.Repeat("long ", 5000), "", " ", "*bold* _it_ `code` ~no~",
}

func FuzzNoEventBreaksAMessage(f *testing.F) {
	for i, text := range nasty {
		f.Add(text, nasty[(i+1)%len(nasty)], uint8(i), float64(i)/7)
	}
	f.Fuzz(func(t *testing.T, text, other string, n uint8, value float64) {
		alerts := hostile(text, other, int(n), value)
		for _, language := range []string{"en", "es"} {
			c := composer(language)
			c.Mention = nil
			c.Rules = map[string]Rule{"A": {Title: map[string]string{"en": text}, Runbook: "https://x.example/" + other}}
			for _, line := range []bool{false, true} {
				m := compose(c, alerts, minute(600), line)
				checkMessage(t, &m)
			}
		}
	})
}

// hostile is an incident in which every text is text or other.
func hostile(text, other string, n int, value float64) []events.Alert {
	alerts := make([]events.Alert, 0, n+1)
	for i := range n%20 + 1 {
		a := firing("A"+strings.Repeat("x", i), "warning", other, i, 1, 3)
		a.Summary, a.Timezone, a.Value, a.Threshold = text, other, &value, &value
		a.Labels = map[string]string{text: other, other: text}
		for j := range n {
			a.Labels[fmt.Sprint(other, j)] = text
		}
		alerts = append(alerts, a)
	}
	return alerts
}

// element is a part of a context or of a row of buttons.
type element struct {
	Type        string
	Text        json.RawMessage // a string in a context, an object in a button
	ActionID    string          `json:"action_id"`
	Value, URL  string
	Placeholder *struct{ Text string }
	Options     []struct {
		Text  struct{ Text string }
		Value string
	}
}

// checkMessage holds a message against Slack's limits and against what nobody may write.
func checkMessage(t *testing.T, m *Message) {
	t.Helper()
	for name, text := range map[string]string{"notification": m.Notification(), "plain text": m.PlainText()} {
		checkText(t, name, text, limitText)
	}
	raw, err := json.Marshal(m.Blocks())
	if err != nil {
		t.Fatal(err)
	}
	var blocks []struct {
		Type     string
		BlockID  string `json:"block_id"`
		Text     *struct{ Type, Text string }
		Elements []element
	}
	if err := json.Unmarshal(raw, &blocks); err != nil {
		t.Fatal(err)
	}
	if len(blocks) == 0 || len(blocks) > 50 {
		t.Errorf("%d blocks", len(blocks))
	}
	sum := 0
	for _, b := range blocks {
		if units(b.BlockID) > 255 {
			t.Errorf("a block's id of %d", units(b.BlockID))
		}
		limit := limitSection
		if b.Type == "header" {
			limit = limitHeader
		}
		if b.Text != nil {
			checkText(t, b.Type, b.Text.Text, limit)
			sum += units(b.Text.Text)
		}
		switch b.Type {
		case "context":
			sum += checkContext(t, b.Elements)
		case "actions":
			checkActions(t, b.Elements)
		}
	}
	if sum > 12000 {
		t.Errorf("all blocks hold %d characters", sum)
	}
	if card := m.Card(false); strings.ContainsAny(card, "\x1b\x00\r\t") || !utf8.ValidString(card) {
		t.Errorf("the card has control characters: %q", card)
	}
}

// checkContext returns how much text there is.
func checkContext(t *testing.T, elements []element) (sum int) {
	t.Helper()
	if len(elements) == 0 || len(elements) > 10 {
		t.Errorf("a context of %d elements", len(elements))
	}
	for _, e := range elements {
		var text string
		if err := json.Unmarshal(e.Text, &text); err != nil {
			t.Fatal(err)
		}
		checkText(t, "context", text, limitNotes)
		sum += units(text)
	}
	return sum
}

// checkActions holds a row of buttons against what Slack documents for its elements.
func checkActions(t *testing.T, elements []element) {
	t.Helper()
	if len(elements) == 0 || len(elements) > 25 {
		t.Errorf("a row of %d buttons", len(elements))
	}
	for _, e := range elements {
		if e.ActionID == "" || units(e.ActionID) > 255 || units(e.Value) > 2000 || units(e.URL) > 3000 {
			t.Errorf("an element that Slack refuses: %+v", e)
		}
		switch e.Type {
		case "button":
			var text struct{ Type, Text string }
			if err := json.Unmarshal(e.Text, &text); err != nil || text.Type != "plain_text" {
				t.Errorf("a button's text %s, %v", e.Text, err)
			}
			checkText(t, "button", text.Text, 75)
		case "static_select":
			checkText(t, "placeholder", e.Placeholder.Text, 150)
			if len(e.Options) == 0 || len(e.Options) > 100 {
				t.Errorf("a menu of %d options", len(e.Options))
			}
			for _, o := range e.Options {
				checkText(t, "option", o.Text.Text, 75)
				checkText(t, "option's value", o.Value, 150)
			}
		default:
			t.Errorf("an element of the type %q", e.Type)
		}
	}
}

func checkText(t *testing.T, name, text string, limit int) {
	t.Helper()
	if text == "" || units(text) > limit {
		t.Errorf("%s is %d long", name, units(text))
	}
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x1b\r\t\u202E\u2066") {
		t.Errorf("%s holds characters that should be gone: %q", name, text)
	}
	lower := strings.ToLower(text)
	for _, ring := range []string{"<!", "<@", "<#", "@here", "@channel", "@everyone"} {
		if strings.Contains(lower, ring) {
			t.Errorf("%s can ring: %q in %q", name, ring, text)
		}
	}
	if rest := strings.NewReplacer("<https://x.example/", "", "<https://wiki.example.com/", "").Replace(text); strings.Contains(rest, "<") {
		t.Errorf("%s has an angle bracket that we did not write: %q", name, text)
	}
	if strings.HasSuffix(strings.TrimSuffix(text, "…"), "&am") {
		t.Errorf("%s splits an entity: %q", name, text)
	}
}

func TestCutEscaped(t *testing.T) {
	cases := []struct {
		name, in string
		limit    int
		want     string
	}{
		{"fits", "a & b", 9, "a &amp; b"},
		{"an entity is whole or gone", "a & b", 8, "a &amp;…"},
		{"or gone", "ab & b", 6, "ab…"},
		{"characters outside the basic plane count twice", "🔥🔥🔥", 5, "🔥🔥…"},
		{"nothing", "", 5, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := cutEscaped(c.in, c.limit); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestFitSaysHowManyMore(t *testing.T) {
	lines := []string{"one", "two", "three", "four"}
	for limit, want := range map[int]string{100: "one\ntwo\nthree\nfour", 17: "one\ntwo\n+2 more", 11: "one\n+3 more", 3: ""} {
		if got := fit(lines, limit, "+%d more"); got != want {
			t.Errorf("in %d: %q, want %q", limit, got, want)
		}
	}
}

func TestParseMention(t *testing.T) {
	for in, want := range map[string]string{
		"@here": "<!here>", "here": "<!here>", "<!channel>": "<!channel>", "@everyone": "<!everyone>", " @here ": "<!here>",
		"U012AB3CD": "<@U012AB3CD>", "@W012AB3CD": "<@W012AB3CD>", "<@U012AB3CD>": "<@U012AB3CD>",
		"S012AB3CD": "<!subteam^S012AB3CD>", "<!subteam^S012AB3CD>": "<!subteam^S012AB3CD>",
		"@ana": "", "ana@example.com": "", "": "", "C012AB3CD": "", "<!here> and more": "",
	} {
		got, ok := ParseMention(in)
		if got != want || ok != (want != "") {
			t.Errorf("ParseMention(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestWhatAValueIsHeldAgainst(t *testing.T) {
	share := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		name             string
		threshold, usual *float64
		learning         bool
		want             string
	}{
		{"a threshold as it was chosen", share(0.1225), nil, false, " · threshold 12.25%"},
		{"one computed from what is usual", share(0.23118), share(0.13118), false, " · usual 13% · threshold 23.1%"},
		{"while that is being learnt", share(0.5), nil, true, " · threshold 50% · what is usual is still being learnt"},
		{"no threshold", nil, share(0.048), false, " · usual 4.8%"},
		{"nothing", nil, nil, false, ""},
	} {
		a := events.Alert{Threshold: c.threshold, Observed: &events.Observed{Usual: c.usual, Learning: c.learning}}
		if got := (subject{words: &english, share: true}).compared(&a); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", -time.Hour: "0 s", 45 * time.Second: "45 s", 119 * time.Second: "119 s", 2 * time.Minute: "2 min", 59 * time.Minute: "59 min",
		time.Hour: "1 h", 200 * time.Minute: "3 h 20 min", 24*time.Hour - time.Second: "1 d", 50 * time.Hour: "2 d 2 h",
	} {
		if got := strings.ReplaceAll(english.duration(d), "\u00a0", " "); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// TestSpan: where one end of a window has seconds, both do.
func TestSpan(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse(time.TimeOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for want, ends := range map[string][2]string{
		"10:00–10:05": {"10:00:00", "10:05:00"}, "10:00:00–10:00:10": {"10:00:00", "10:00:10"}, "10:00:50–10:01:00": {"10:00:50", "10:01:00"},
	} {
		if got := span(at(ends[0]), at(ends[1])); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestTimesAreLocal(t *testing.T) {
	kathmandu, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	c := composer("en")
	alerts := []events.Alert{firing("CongestionSpike", "critical", "congestion", 0, 476, 1073)}
	cases := []struct {
		name, zone string
		fixed      *time.Location
		want       string
	}{
		{"the event's zone", "America/Bogota", nil, "10:00–10:05, 22 Nov (America/Bogota, UTC−5)"},
		{"a configured zone goes before it", "America/Bogota", kathmandu, "20:45–20:50, 22 Nov (Asia/Kathmandu, UTC+5:45)"},
		{"an event without a zone", "", nil, "15:00–15:05, 22 Nov (UTC)"},
		{"an event with one that does not exist", "Atlantis/North", nil, "15:00–15:05, 22 Nov (UTC)"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			alerts[0].Timezone, c.Zone = tc.zone, tc.fixed
			m := compose(c, alerts, minute(7), false)
			if text := m.PlainText(); !strings.Contains(text, tc.want) {
				t.Errorf("want %q in %s", tc.want, text)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	for address, want := range map[string]string{
		"https://wiki.example.com/a?b=1&c=2": "<https://wiki.example.com/a?b=1&amp;c=2|What to do>",
		"javascript:alert(1)":                "", "": "", "https://": "", "https://x.example/a|b>c": "<https://x.example/a%7Cb%3Ec|What to do>",
	} {
		if got := (Link{Text: "What to do", URL: address}).mrkdwn(); got != want {
			t.Errorf("%q becomes %q, want %q", address, got, want)
		}
	}
}
