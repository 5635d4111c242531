package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/replay"
	"unconnected/alerter/replay/report"
	"unconnected/alerter/rule"
	"unconnected/events"
)

var update = flag.Bool("update", false, "write the golden page")

const golden = "testdata/report.html"

var monday = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC) // 10:00 in Bogotá

// windows are five minutes long, with 100 calls of which some met congestion; a negative number is a missed window.
func windows(operation string, congestion ...int64) (list []events.Event) {
	for i, n := range congestion {
		start := monday.Add(time.Duration(i) * 5 * time.Minute)
		e := events.Event{
			Operation: operation, Timezone: "America/Bogota", Window: events.Window{Start: start, End: start.Add(5 * time.Minute)},
			Total: 100, Counts: map[string]int64{"congestion": n, "no_answer": 100 - n},
		}
		if n < 0 {
			e.Total, e.Counts, e.Missed = 0, nil, &events.Missed{Reason: "garbage"}
		}
		list = append(list, e)
	}
	return list
}

// hostile is text that must not become markup.
const hostile = `</title><script>alert(1)</script><img src=x onerror="a()">`

func rules(t *testing.T, text string) *rule.Set {
	t.Helper()
	set, err := rule.Parse("rules.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const someRules = `rules:
  - alert: Congestion
    title: {en: '` + hostile + `', es: Congestión}
    expr: share.congestion >= 0.20 && total >= 50
    clear: share.congestion < 0.10
    severity: critical
    value: share.congestion
    threshold: 0.20
    summary: '{{percent .Value}} ` + hostile + `'
  - alert: FewCalls
    expr: total <= 100 && count.congestion > 60
    value: total
    threshold: 100
  - alert: NoThreshold
    expr: total > 5000
`

// examplePage has all that a page can have.
func examplePage(t *testing.T) *report.Page {
	t.Helper()
	list := append(windows("ventas", 5, 6, 5, 30, 44, -1, 41, 15, 5, 4, 6, 5, 5, 5, 5), windows("cobranza", 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 70, 80)...)
	set, other := rules(t, someRules), rules(t, strings.ReplaceAll(someRules, "0.20", "0.50"))
	options := replay.Options{Language: rule.English, Values: true}
	suggestions, err := replay.Suggest(list, set, options, 100)
	if err != nil {
		t.Fatal(err)
	}
	return &report.Page{
		Result: replay.Run(list, set, options), Name: hostile, Against: replay.Run(list, other, options), AgainstName: "other.yaml" + hostile,
		Suggestions: suggestions, SuggestFor: 100, Source: "windows from " + hostile, Language: rule.English, Made: monday,
	}
}

func write(t *testing.T, page *report.Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, page); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden: the page is the one that somebody has looked at. After a change: go test -update, and look at
// testdata/report.html in a browser, light, dark and narrow.
func TestGolden(t *testing.T) {
	got := write(t, examplePage(t))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("the page is another than testdata/report.html; run go test -update, and look at it")
	}
}

// TestSelfContained: nothing is loaded, nothing runs, and no text becomes markup.
func TestSelfContained(t *testing.T) {
	page := write(t, examplePage(t))
	for _, bad := range []string{"http:", "https:", "//", "src=\"", "<script", "<link", "@import", "url(", "<img", "javascript:", "ZgotmplZ"} {
		if at := strings.Index(page, bad); at >= 0 {
			t.Errorf("the page has %q: …%s…", bad, page[max(0, at-60):min(len(page), at+60)])
		}
	}
	if n := strings.Count(page, "&lt;script&gt;"); n < 8 {
		t.Errorf("the hostile text is there %d times only: the test proves nothing", n)
	}
	for _, good := range []string{"default-src 'none'", "prefers-color-scheme: dark", "width=device-width"} {
		if !strings.Contains(page, good) {
			t.Errorf("the page lacks %s", good)
		}
	}
}

// TestWellFormed: every element is closed where it should be, and links lead somewhere.
func TestWellFormed(t *testing.T) {
	page := write(t, examplePage(t))
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
		case xml.EndElement:
			if last := open[len(open)-1]; last != token.Name.Local {
				t.Fatalf("</%s> closes <%s>", token.Name.Local, last)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("not closed: %v", open)
	}
	for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(page, `id="`+m[1]+`"`) {
			t.Errorf("#%s leads nowhere", m[1])
		}
	}
}

// TestPlots: there is one of each rule of each incident; all of it lies inside, and shows threshold, firing and what is
// unknown.
func TestPlots(t *testing.T) {
	page := write(t, examplePage(t))
	if n := strings.Count(page, "<svg"); n != 3 {
		t.Errorf("%d plots, want 3", n)
	}
	for _, want := range []string{`class="gap"`, `class="firing"`, `class="limit"`, `class="over"`, "20 %", "still firing", `class="told-tag"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no plot has %s", want)
		}
	}
	number := regexp.MustCompile(`-?[0-9.]+(e[+-]?\d+)?`)
	paths := regexp.MustCompile(` d="([^"]*)"`).FindAllStringSubmatch(page, -1)
	places := regexp.MustCompile(`(?: x1?2?| y1?2?| width| height)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	for _, m := range append(paths, places...) {
		for _, text := range number.FindAllString(m[1], -1) {
			if v, err := strconv.ParseFloat(text, 64); err != nil || v < 0 || v > 100 {
				t.Errorf("%s in %s lies outside", text, m[1])
			}
		}
	}
}

// TestQuiet: a page without incidents, and one without windows, says so.
func TestQuiet(t *testing.T) {
	set := rules(t, someRules)
	for _, list := range [][]events.Event{nil, windows("ventas", 5, 5, 5)} {
		page := write(t, &report.Page{Result: replay.Run(list, set, replay.Options{Values: true}), Name: "rules.yaml", Language: rule.English, Made: monday})
		if !strings.Contains(page, "these rules would have told nothing") || strings.Contains(page, "<svg") {
			t.Errorf("of %d windows", len(list))
		}
	}
}
