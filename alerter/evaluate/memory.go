package evaluate

import (
	"math"
	"sort"

	"unconnected/alerter/rule"
)

// hour is how far back windows without traffic are looked for, in seconds.
const hour = 3600

// mark is what is remembered of a rule's verdict on a window.
type mark uint8

const (
	held   mark = 1 << iota // the condition was true
	atOnce                  // so was the one that waits for no other window
	quiet                   // counts towards clearing
	busy                    // had traffic enough to be judged, or may have had: not for no_traffic
)

func markOf(v rule.Verdict, w *rule.Window) mark {
	var m mark
	if v.Held() {
		m |= held
	}
	if v.AtOnce == rule.True {
		m |= atOnce
	}
	if v.Quiet() {
		m |= quiet
	}
	if !w.Known() || w.Total() > 0 && v.Volume != rule.False {
		m |= busy
	}
	return m
}

// slot is one remembered window. Times are Unix seconds.
type slot struct {
	start, end int64
	revision   int // -1 while the window's counts could not be had
}

// missing is the revision of a window without counts.
const missing = -1

// memory remembers the newest windows of an operation and each rule's verdict on them: those of the last hour, and at
// least span. So it is bounded, an hour having 3600 windows at most. Windows do not overlap and are in order of time.
//
// It is a ring: window i, 0 being the oldest, is in slots[(first+i) % len(slots)].
type memory struct {
	rules int // verdicts per window
	span  int // windows that rules look back

	slots  []slot
	marks  []mark    // :: place in slots * rules + rule → verdict
	values []float64 // alike → value of the rule, NaN when unknown
	first  int       // place of the oldest window
	n      int       // windows remembered
}

func newMemory(rules, span int) memory { return memory{rules: rules, span: span} }

// place is where window i is in the ring.
func (m *memory) place(i int) int { return (m.first + i) & (len(m.slots) - 1) }

func (m *memory) at(i int) *slot { return &m.slots[m.place(i)] }

func (m *memory) newest() *slot { return m.at(m.n - 1) }

func (m *memory) mark(i, rule int) mark { return m.marks[m.place(i)*m.rules+rule] }

func (m *memory) value(i, rule int) float64 { return m.values[m.place(i)*m.rules+rule] }

// set remembers a rule's verdict on window i.
func (m *memory) set(i, rule int, to mark, value float64) {
	at := m.place(i)*m.rules + rule
	m.marks[at], m.values[at] = to, value
}

// push adds the next window and forgets those that nobody needs any more.
func (m *memory) push(s slot) {
	for m.n > m.span && m.slots[m.first].end <= s.end-hour {
		m.first = m.place(1)
		m.n--
	}
	if m.n == len(m.slots) {
		m.grow()
	}
	m.n++
	*m.newest() = s
}

// grow doubles the ring; its length stays a power of two.
func (m *memory) grow() {
	bigger := *m
	size := max(16, 2*len(m.slots))
	bigger.slots = make([]slot, size)
	bigger.marks = make([]mark, size*m.rules)
	bigger.values = make([]float64, size*m.rules)
	bigger.first = 0
	for i := range m.n {
		bigger.slots[i] = *m.at(i)
		from := m.place(i) * m.rules
		copy(bigger.marks[i*m.rules:], m.marks[from:from+m.rules])
		copy(bigger.values[i*m.rules:], m.values[from:from+m.rules])
	}
	*m = bigger
}

// find is the remembered window with exactly these ends.
func (m *memory) find(start, end int64) (i int, ok bool) {
	i = sort.Search(m.n, func(i int) bool { return m.at(i).start >= start })
	ok = i < m.n && m.at(i).start == start && m.at(i).end == end
	return i, ok
}

// holding counts in how many of the last m windows that do not start before from a rule held. since is the start of the
// earliest of them.
func (m *memory) holding(rule, last int, from int64) (count int, since int64) {
	for i := m.n - 1; i >= max(0, m.n-last) && m.at(i).start >= from; i-- {
		if m.mark(i, rule)&held != 0 {
			count++
			since = m.at(i).start
		}
	}
	return count, since
}

// quietRun counts the windows up to the newest that are all quiet for a rule and do not start before from. since is the
// start of the first of them.
func (m *memory) quietRun(rule int, from int64) (count int, since int64) {
	for i := m.n - 1; i >= 0 && m.at(i).start >= from && m.mark(i, rule)&quiet != 0; i-- {
		count++
		since = m.at(i).start
	}
	return count, since
}

// busyUntil is the end of the last window with traffic for a rule, or the start of what is remembered.
func (m *memory) busyUntil(rule int) int64 {
	for i := m.n - 1; i >= 0; i-- {
		if m.mark(i, rule)&busy != 0 {
			return m.at(i).end
		}
	}
	return m.at(0).start
}

// peak is the highest value of a rule in the windows that do not start before from, and the start of the first window
// that had it. It is NaN when no value is known.
func (m *memory) peak(rule int, from int64) (value float64, at int64) {
	value = math.NaN()
	for i := m.n - 1; i >= 0 && m.at(i).start >= from; i-- {
		if v := m.value(i, rule); v >= value || value != value {
			value, at = v, m.at(i).start
		}
	}
	return value, at
}
