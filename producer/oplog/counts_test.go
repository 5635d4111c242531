package oplog_test

import (
	"strings"
	"testing"

	"unconnected/events"
	"unconnected/producer/oplog"
)

func TestCountsAgainstReported(t *testing.T) {
	rows := func(pairs ...string) (list []events.Reported) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, events.Reported{Result: pairs[i], Count: pairs[i+1]})
		}
		return list
	}
	counts := func(busy, cancel, unnamed int64) map[string]int64 {
		return map[string]int64{events.Busy: busy, events.Cancel: cancel, "unnamed": unnamed, events.TCPA: 0}
	}
	const huge = "9223372036854775807"
	for name, c := range map[string]struct {
		rows      []events.Reported
		counts    map[string]int64
		ambiguous bool
		want      string // part of the fault; "" if there is none
	}{
		"the same":                          {rows("BUSY", "3", "CANCEL", "2"), counts(3, 2, 0), false, ""},
		"an empty window":                   {nil, counts(0, 0, 0), false, ""},
		"blanks and spellings":              {rows(" Ocupado\r\n", " 3 ", "Cancelled", "2"), counts(3, 2, 0), false, ""},
		"two spellings of one result":       {rows("Busy", "1", "CANCEL", "2", "ocupado", "2"), counts(3, 2, 0), false, ""},
		"no name":                           {rows("BUSY", "3", "", "4", "CANCEL", "2"), counts(3, 2, 4), false, ""},
		"a row of zero":                     {rows("BUSY", "3", "CANCEL", "2", "Nuevo", "0"), counts(3, 2, 0), false, ""},
		"less than reported":                {rows("BUSY", "3", "CANCEL", "2"), counts(2, 2, 0), false, "busy is 2, the reported rows say 3"},
		"more than reported":                {rows("BUSY", "3", "CANCEL", "2"), counts(3, 3, 0), false, "cancel is 3, the reported rows say 2"},
		"under another name":                {rows("BUSY", "3", "CANCEL", "2"), counts(2, 3, 0), false, "busy is 2, the reported rows say 3"},
		"one row twice for two results":     {rows("BUSY", "3", "BUSY", "3"), counts(3, 3, 0), false, "busy is 3, the reported rows say 6"},
		"a result that was left out":        {rows("BUSY", "3", "CANCEL", "2", "Nuevo", "7"), counts(3, 2, 0), false, "nuevo is 0, the reported rows say 7"},
		"nothing reported":                  {nil, counts(3, 0, 0), false, "busy is 3, the reported rows say 0"},
		"no number":                         {rows("BUSY", "3.0"), counts(3, 0, 0), false, `"BUSY": count "3.0" is not`},
		"a placeholder":                     {rows("", ""), counts(0, 0, 0), false, "is not a whole number"},
		"more than there are numbers":       {rows("BUSY", huge, "BUSY", huge, "BUSY", "2"), counts(0, 0, 0), false, "add up to more than"},
		"a part of an ambiguous answer":     {rows("BUSY", "3", "CANCEL", "2"), counts(1, 0, 0), true, ""},
		"all of an ambiguous answer":        {rows("BUSY", "3", "CANCEL", "2"), counts(3, 2, 0), true, ""},
		"more than an ambiguous answer has": {rows("BUSY", "3", "CANCEL", "2"), counts(4, 0, 0), true, "busy is 4, the reported rows say 3"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newWriter().live(1).log[0]
			e.Reported, e.Counts, e.Ambiguous, e.Total = c.rows, c.counts, c.ambiguous, 0
			for _, n := range c.counts {
				e.Total += n
			}
			_, faults := check([]events.Event{e})
			switch {
			case c.want == "" && len(faults) > 0:
				t.Errorf("faults: %+v", faults)
			case c.want != "" && (len(faults) != 1 || faults[0].Kind != oplog.Counts || !strings.Contains(faults[0].Text, c.want)):
				t.Errorf("faults %+v, want %q", faults, c.want)
			}
		})
	}
}
