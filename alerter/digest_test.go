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
			zone := noonZone(time.Now())
			if err := w.config.Alerts.Timezone.Set(zone.String()); err != nil {
				t.Fatal(err)
			}
			now := time.Now().In(zone)
			if err := w.config.Digest.Set(now.Add(-time.Minute).Format("15:04")); err != nil {
				t.Fatal(err)
			}
			yesterday := time.Date(now.Year(), now.Month(), now.Day()-1, 12, 0, 0, 0, zone)
			w.begin("ventas", time.Since(yesterday))
			w.play("ventas", "qq?qc")
			w.skipTo("ventas", time.Minute)
			w.play("ventas", "q") // the day is over
			if fault.Name != "" {
				w.slack.Fail("chat.postMessage", fault)
			}
			digests := func() (n int) {
				for _, m := range w.slack.Roots("#noc") {
					if strings.HasPrefix(transitionOf(&m), "@digest/"+now.Format(time.DateOnly)) {
						n++
					}
				}
				return n
			}
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
