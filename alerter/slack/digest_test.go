package slack

import (
	"strings"
	"testing"
	"time"
)

func TestDigestComparesWithAWeekBefore(t *testing.T) {
	for _, c := range []struct {
		total, before int64
		want          string
	}{
		{23412, 26604, "12% fewer than on Tuesday 17 Nov (26,604)"},
		{300, 100, "200% more than on Tuesday 17 Nov (100)"},
		{1000, 1002, "as many as on Tuesday 17 Nov (1,002)"},
		{0, 10, "100% fewer than on Tuesday 17 Nov (10)"},
		{7, 0, "7 more than on Tuesday 17 Nov (0)"},
		{0, 0, "as many as on Tuesday 17 Nov (0)"},
		{5, -1, "Tuesday 17 Nov is not complete, so there is no comparison"},
	} {
		day := days(1)
		day[0].Total, day[0].Before = c.total, c.before
		m := composer("en").Digest("digest", day)
		if got := m.Facts[0].Text; !strings.HasSuffix(got, " · "+c.want) {
			t.Errorf("%d after %d: %q, want %q", c.total, c.before, got, c.want)
		}
	}
}

func TestDigestNeverRoundsUpToComplete(t *testing.T) {
	for _, c := range []struct {
		windows, missed, absent int
		want                    string
	}{
		{288, 0, 0, "100% complete"},
		{287, 1, 0, "99.6% complete: 5 min without an answer from Wolkvox"},
		{86399, 0, 1, "99.9% complete: 1 s not fetched"},
		{0, 0, 288, "0% complete: 1 d not fetched"},
		{0, 0, 0, "100% complete"},
	} {
		d, day := digest{words: &english}, days(1)[0]
		day.Windows, day.Missed, day.Absent = c.windows, c.missed, c.absent
		if got := strings.ReplaceAll(d.completeness(&day), "\u00a0", " "); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestDigestIsInTheZoneOfTheDay(t *testing.T) {
	c := composer("en")
	if m := c.Digest("digest", days(1)); !strings.Contains(m.PlainText(), "09:55–10:30") {
		t.Errorf("not in the day's own zone: %s", m.PlainText())
	}
	c.Zone = time.UTC
	if m := c.Digest("digest", days(1)); !strings.Contains(m.PlainText(), "14:55–15:30") || !strings.Contains(m.PlainText(), "Times: UTC") {
		t.Errorf("not in the configured zone: %s", m.PlainText())
	}
}
