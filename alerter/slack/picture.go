package slack

import (
	"fmt"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack/chart"
	"unconnected/events"
)

// PictureSpan is how much of an operation's history a picture shows, up to the window that the message is about.
const PictureSpan = 24 * time.Hour

// pictureWords are the texts of a picture in one language that messages do not need.
type pictureWords struct{ share, volume, threshold, usual, other, noData, noCalls, incident, label, alt string }

var picturesIn = map[bool]pictureWords{ // :: Spanish → words
	false: {
		share: "% of unconnected calls", volume: "Unconnected calls in %s", threshold: "threshold", usual: "usual", other: "other",
		noData: "no data", noCalls: "no calls", incident: "incident", label: "%s of %s calls",
		alt: "The last 24 hours of unconnected calls by result: %s",
	},
	true: {
		share: "% de las llamadas no conectadas", volume: "Llamadas no conectadas en %s", threshold: "umbral", usual: "lo usual", other: "otras",
		noData: "sin datos", noCalls: "sin llamadas", incident: "incidente", label: "%s de %s llamadas",
		alt: "Las últimas 24 horas de llamadas no conectadas, por resultado: %s",
	},
}

// PictureOf is the time that the picture of an incident shows, half-open; ok is false when there is nothing to show: what
// fired was no window.
func PictureOf(inc *incident.Incident) (from, to time.Time, ok bool) {
	lead := inc.Lead()
	if lead.Fired == nil || lead.Fired.Window == nil {
		return from, to, false
	}
	to = lead.Fired.Window.End
	return to.Add(-PictureSpan), to, true
}

// Picture draws what [PictureOf] named: windows are those of the incident's operation, one event each.
func (c *Composer) Picture(inc *incident.Incident, windows []events.Event) (Picture, error) {
	d, lead := c.draft(inc), inc.Lead()
	fired := lead.Fired
	s, w := d.subject(fired), picturesIn[c.Language == "es"]
	from, to, _ := PictureOf(inc)
	drawn := chart.Chart{
		Title: d.headline("%s", s.title), From: from, To: to, Framed: *fired.Window, Since: inc.Start, Zone: d.zone,
		Words: d.pictureWords(w, fired.Window.Length()),
	}
	if s.share {
		drawn.Results, drawn.Threshold = s.results, fired.Threshold
	}
	if o := fired.Observed; o != nil {
		if s.share {
			drawn.Usual = o.Usual
		}
		if fired.Value != nil && s.share {
			drawn.Label = fmt.Sprintf(w.label, s.value(*fired.Value), d.words.Decimal(float64(o.Total), 0))
		}
	}
	for i := range windows {
		e := &windows[i]
		shown := chart.Window{Window: e.Window}
		if e.Missed == nil && !e.Ambiguous {
			shown.Counts = e.Counts
		}
		drawn.Windows = append(drawn.Windows, shown)
	}
	png, err := drawn.PNG()
	name := fmt.Sprintf("%s-%s.png", inc.Operation, fired.Window.Start.UTC().Format("20060102T1504Z"))
	return Picture{Name: name, Title: drawn.Title, Alt: fmt.Sprintf(w.alt, d.headline("%s", s.named(fired))), PNG: png}, err
}

func (d *draft) pictureWords(w pictureWords, window time.Duration) chart.Words {
	return chart.Words{
		Result: d.words.result, Percent: d.words.ExactPercent, Date: d.words.date,
		Number: func(calls float64) string { return d.words.Decimal(calls, 0) },
		Share:  w.share, Volume: fmt.Sprintf(w.volume, d.words.duration(window)), Threshold: w.threshold, Usual: w.usual, Other: w.other,
		NoData: w.noData, NoCalls: w.noCalls, Incident: w.incident,
	}
}
