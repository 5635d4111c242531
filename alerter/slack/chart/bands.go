package chart

// band is a layer of the stack: one result, or several pooled.
type band struct {
	colour uint8
	name   string // for people
}

// Colours from the lowest band; pooled are those for which there is none left.
var (
	alertingColours = []uint8{alerting1, alerting2, alerting3}
	otherColours    = []uint8{other1, other2, other3}
)

// pool chooses the bands and sums the windows in them. Alerting results come first, each with its band while colours last,
// the rest of them in the last; of the others, those with the most calls have bands, the rest are pooled.
func (d *drawing) pool() {
	which := map[string]int{}
	for _, result := range d.chart.Results {
		if _, twice := which[result]; twice {
			continue
		}
		if n := len(d.bands); n < len(alertingColours) {
			d.bands = append(d.bands, band{alertingColours[n], d.name(result)})
		} else {
			d.bands[n-1].name += ", " + d.name(result)
		}
		which[result] = len(d.bands) - 1
	}
	room := 0
	if d.shares {
		room = len(d.bands) + len(otherColours)
	}
	unlisted := 0
	for _, result := range byTotal(totals(d.chart.Windows, d.during)) {
		if _, alerting := which[result]; alerting {
			continue
		}
		if len(d.bands) < room {
			d.bands = append(d.bands, band{otherColours[unlisted], d.name(result)})
			which[result] = len(d.bands) - 1
		}
		unlisted++
	}
	rest := len(d.bands)
	if unlisted > len(otherColours) || !d.shares {
		d.bands = append(d.bands, band{others, clean(d.words.Other)})
	}
	d.columns = pool(d.chart.Windows, d.during, pitch(d.during, d.window), len(d.bands), func(result string) int {
		if i, ok := which[result]; ok {
			return i
		}
		return rest
	})
}

func (d *drawing) name(result string) string { return clean(d.words.Result(result)) }
