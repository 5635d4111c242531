package oplog

import (
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"slices"

	"unconnected/events"
	"unconnected/producer/wolkvox/result"
)

// A tally adds up the rows that the API reported, under the names of their results.
type tally struct {
	calls map[string]int64
	total int64
	names map[string]string // of spellings met before
}

// maxSpellings bounds the remembered spellings, so that hostile rows cannot grow them without end.
const maxSpellings = 1024

// add adds up the rows of one event.
func (t *tally) add(rows []events.Reported) error {
	if t.calls == nil {
		t.calls, t.names = make(map[string]int64), make(map[string]string)
	}
	clear(t.calls)
	t.total = 0
	for _, row := range rows {
		n, err := result.Count(row.Count)
		if err != nil {
			return fmt.Errorf("of the reported %.60q: %w", row.Result, err)
		}
		if n > math.MaxInt64-t.total {
			return fmt.Errorf("the reported rows add up to more than %d", int64(math.MaxInt64))
		}
		t.total += n
		t.calls[t.name(row.Result)] += n
	}
	return nil
}

func (t *tally) name(spelling string) string {
	name, ok := t.names[spelling]
	if !ok {
		name = result.Name(spelling)
		if len(t.names) < maxSpellings && len(spelling) <= 64 {
			t.names[spelling] = name
		}
	}
	return name
}

// differs tells what counts contradict in the rows; "" if nothing. The counts of an ambiguous window may be a part of the
// answer, which is that of two windows, but never more.
func (t *tally) differs(e *events.Event) string {
	var sum int64
	agree := true
	for name, n := range e.Counts {
		sum += n
		reported := t.calls[name]
		agree = agree && (n == reported || e.Ambiguous && n < reported)
	}
	switch {
	case sum != e.Total:
		return fmt.Sprintf("the total is %d, the counts add up to %d", e.Total, sum)
	case agree && (sum == t.total || e.Ambiguous):
		return ""
	}
	return t.difference(e)
}

// difference names the first result that differs. It is slower than differs, and rarely needed.
func (t *tally) difference(e *events.Event) string {
	names := maps.Clone(t.calls)
	maps.Copy(names, e.Counts)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if n, reported := e.Counts[name], t.calls[name]; n > reported || n < reported && !e.Ambiguous {
			return fmt.Sprintf("%s is %d, the reported rows say %d", name, n, reported)
		}
	}
	return fmt.Sprintf("the total is %d, the reported rows add up to %d", e.Total, t.total)
}

// checkCounts compares the counts with the total and with the rows that they were made of.
func (c *Checker) checkCounts(e *events.Event) {
	if e.Missed != nil {
		return
	}
	if err := c.rows.add(e.Reported); err != nil {
		c.fault(e, Counts, "%v", err)
	} else if text := c.rows.differs(e); text != "" {
		c.fault(e, Counts, "%s", text)
	}
}

var seed = maphash.MakeSeed()

// fingerprint is equal for equal counts, whatever the order of the map; a result of zero counts as absent.
func fingerprint(counts map[string]int64) uint64 {
	var sum uint64
	for result, n := range counts {
		if n != 0 {
			sum += scatter(maphash.String(seed, result) ^ scatter(uint64(n)))
		}
	}
	return sum
}

// scatter spreads every bit of x over all of the result (the finaliser of MurmurHash3), so that sums of results do not
// collide where sums of their inputs do.
func scatter(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
