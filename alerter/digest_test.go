package alerter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
)

// TestDigest: the daily message comes once, whoever is there at its time and whatever becomes of its post.
func TestDigest(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakeslack.Fault{
		"posted": {}, "the answer is lost": fakeslack.DropAfter(), "refused at first": fakeslack.TooMany(1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			now := w.digestDue(time.Minute)
			yesterday := time.Date(now.Year(), now.Month(), now.Day()-1, 12, 0, 0, 0, now.Location())
			w.begin("ventas", time.Since(yesterday))
			w.play("ventas", "qq?qc")
			w.skipTo("ventas", time.Minute)
			w.play("ventas", "q") // the day is over
			if fault.Name != "" {
				w.slack.Fail("chat.postMessage", fault)
			}
			digests := func() int { return len(w.digests(now)) }
			p := w.start()
			eventually(t, "the daily message", func() (bool, string) { return digests() == 1 && w.records() == 1, fmt.Sprint(digests()) })
			p.stop()
			w.start()
			w.play("ventas", "q")
			if n := digests(); n != 1 {
				t.Errorf("%d daily messages", n)
			}
		})
	}
}

// digestDue makes the daily message due so long ago, in a zone in which it is about noon: the time there.
func (w *world) digestDue(ago time.Duration) time.Time {
	w.t.Helper()
	zone := noonZone(time.Now())
	if err := w.config.Alerts.Timezone.Set(zone.String()); err != nil {
		w.t.Fatal(err)
	}
	now := time.Now().In(zone)
	if err := w.config.Digest.Set(now.Add(-ago).Format("15:04")); err != nil {
		w.t.Fatal(err)
	}
	return now
}

// digests are the daily messages of a day.
func (w *world) digests(day time.Time) (texts []string) {
	for _, m := range w.slack.Roots("#noc") {
		if strings.HasPrefix(transitionOf(&m), "@digest/"+day.Format(time.DateOnly)) {
			texts = append(texts, m.Text+" "+string(m.Blocks))
		}
	}
	return texts
}

// TestDigestWithoutData: on the first day what there is of yesterday is told, without a comparison; an operation of which not a
// single window came is named, and one that began today is not.
func TestDigestWithoutData(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := w.digestDue(20 * time.Minute) // it does not wait for windows any more
	noon := time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, now.Location())
	w.begin("ventas", time.Since(noon.AddDate(0, 0, -1)))
	w.play("ventas", "qqq")
	w.skipTo("ventas", time.Minute)
	w.play("ventas", "q")
	w.begin("cob", time.Since(noon.AddDate(0, 0, -2)))
	w.play("cob", "q")
	w.begin("nueva", time.Minute)
	w.play("nueva", "q")
	w.start()
	var told []string
	eventually(t, "the daily message", func() (bool, string) { told = w.digests(now); return len(told) == 1, fmt.Sprint(told) })
	for _, word := range []string{"2 operations", "300 unconnected calls", "no data from 1 operation", "cob · no data since "} {
		if !strings.Contains(strings.ReplaceAll(told[0], "\u00a0", " "), word) {
			t.Errorf("%q is not in %s", word, told[0])
		}
	}
	if strings.Contains(told[0], "nueva") {
		t.Errorf("it speaks of what began today: %s", told[0])
	}
}

// noonZone is a zone in which it is about noon, so that a day's edge is far.
func noonZone(now time.Time) *time.Location {
	best := time.UTC
	for hours := -12; hours <= 12; hours++ {
		zone, err := time.LoadLocation(fmt.Sprintf("Etc/GMT%+d", hours))
		if err == nil && now.In(zone).Hour() == 12 {
			best = zone
		}
	}
	return best
}
