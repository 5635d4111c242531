package baseline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// encodingVersion is the first byte of what AppendBinary writes. Whatever changes the meaning of the rest changes it.
const encodingVersion = 1

// ErrEncoding says that bytes are not the state of a baseline that this version wrote. Whoever kept them folds the history
// instead.
var ErrEncoding = errors.New("not the state of a baseline in this version")

// AppendBinary appends the whole state to buf: a few kilobytes for five weeks. It never fails.
func (b *Baseline) AppendBinary(buf []byte) ([]byte, error) {
	w := writer{append(buf, encodingVersion)}
	w.float(b.longX)
	w.float(b.longN)
	w.float(b.rho)
	w.int(b.windows)
	w.int(b.calls)
	w.bool(b.learnt)
	w.window(b.present)
	w.float(b.usual.Share)
	w.float(b.usual.Weight)
	w.float(b.usual.Rho)
	w.int(int64(b.waiting))
	for _, p := range b.pending[:b.waiting] {
		w.window(p.window)
		w.float(p.share)
	}
	w.int(int64(b.latestFilled))
	for _, each := range b.latest[:b.latestFilled] {
		w.window(each)
	}
	w.recent(&b.recent)
	w.recent(&b.all)
	w.season(&b.season)
	return w.buf, nil
}

// MarshalBinary is the whole state. It never fails.
func (b *Baseline) MarshalBinary() ([]byte, error) { return b.AppendBinary(nil) }

// UnmarshalBinary replaces the state by one that [Baseline.AppendBinary] wrote. The error wraps [ErrEncoding]; b is then as
// it was.
func (b *Baseline) UnmarshalBinary(data []byte) error {
	r := reader{buf: data}
	if r.byte() != encodingVersion {
		return fmt.Errorf("baseline: %w", ErrEncoding)
	}
	var n Baseline
	n.longX, n.longN, n.rho = r.float(), r.float(), r.float()
	n.windows, n.calls, n.learnt = r.int(), r.int(), r.bool()
	n.present = r.window()
	n.usual = Usual{Share: r.float(), Weight: r.float(), Rho: r.float()}
	n.waiting = r.count(acceptAfter)
	for i := range n.waiting {
		n.pending[i] = pending{r.window(), r.float()}
	}
	n.latestFilled = r.count(pooledWindows)
	for i := range n.latestFilled {
		n.latest[i] = r.window()
	}
	r.recent(&n.recent)
	r.recent(&n.all)
	r.season(&n.season)
	if r.failed || len(r.buf) > 0 || !n.sane() {
		return fmt.Errorf("baseline: %w", ErrEncoding)
	}
	*b = n
	return nil
}

// sane tells whether the numbers are ones that a baseline can have: nothing else may come from damaged bytes.
func (b *Baseline) sane() bool {
	within := func(v, least, most float64) bool { return v >= least && v <= most }
	ok := within(b.rho, rhoLeast, rhoMost) && within(b.longN, 1, math.MaxFloat64) && within(b.longX, 0, b.longN) &&
		within(b.usual.Share, leastShare, 1-leastShare) && within(b.usual.Rho, rhoLeast, rhoMost) &&
		within(b.usual.Weight, surePseudo, math.MaxFloat64) && b.windows >= 0 && b.calls >= 0
	for _, p := range b.pending[:b.waiting] {
		ok = ok && within(p.share, leastShare, 1-leastShare)
	}
	return ok
}

// AppendBinary appends the whole state to buf. It never fails.
func (v *Volume) AppendBinary(buf []byte) ([]byte, error) { return appendSeason(buf, &v.season) }

// UnmarshalBinary replaces the state by one that [Volume.AppendBinary] wrote. The error wraps [ErrEncoding].
func (v *Volume) UnmarshalBinary(data []byte) error { return readSeason(data, &v.season) }

// AppendBinary appends the whole state to buf. It never fails.
func (a *Ago) AppendBinary(buf []byte) ([]byte, error) { return appendSeason(buf, &a.season) }

// UnmarshalBinary replaces the state by one that [Ago.AppendBinary] wrote. The error wraps [ErrEncoding].
func (a *Ago) UnmarshalBinary(data []byte) error { return readSeason(data, &a.season) }

func appendSeason(buf []byte, s *season) ([]byte, error) {
	w := writer{append(buf, encodingVersion)}
	w.season(s)
	return w.buf, nil
}

func readSeason(data []byte, into *season) error {
	r := reader{buf: data}
	version := r.byte()
	var s season
	r.season(&s)
	if version != encodingVersion || r.failed || len(r.buf) > 0 {
		return fmt.Errorf("baseline: %w", ErrEncoding)
	}
	*into = s
	return nil
}

// writer appends numbers: integers as varints, floats as eight bytes.
type writer struct{ buf []byte }

func (w *writer) int(v int64) { w.buf = binary.AppendVarint(w.buf, v) }

func (w *writer) float(v float64) {
	w.buf = binary.LittleEndian.AppendUint64(w.buf, math.Float64bits(v))
}

func (w *writer) bool(v bool) {
	if v {
		w.buf = append(w.buf, 1)
	} else {
		w.buf = append(w.buf, 0)
	}
}

func (w *writer) window(v Window) {
	w.int(v.Start)
	w.int(int64(v.Slot))
	w.int(int64(v.X))
	w.int(int64(v.N))
}

func (w *writer) recent(r *recent) {
	w.int(int64(r.count))
	for i := range r.count {
		w.window(*r.at(i))
	}
}

// season writes the days that are there: number, which of the half hours have something, and that.
func (w *writer) season(s *season) {
	w.int(int64(s.newest))
	count := 0
	for _, d := range s.days {
		if d != nil {
			count++
		}
	}
	w.int(int64(count))
	for _, d := range s.days {
		if d == nil {
			continue
		}
		w.int(int64(d.number))
		var filled uint64
		for i := range int32(slotsPerDay) {
			if d.at(i) != (cell{}) {
				filled |= 1 << i
			}
		}
		w.buf = binary.AppendUvarint(w.buf, filled)
		for i := range int32(slotsPerDay) {
			if c := d.at(i); c != (cell{}) {
				w.int(int64(c.x))
				w.int(int64(c.n))
			}
		}
	}
}

// reader takes off numbers that a writer appended. After the first that is not there, all are 0 and failed is set.
type reader struct {
	buf    []byte
	failed bool
}

func (r *reader) fail() { r.buf, r.failed = nil, true }

func (r *reader) byte() (v byte) {
	if len(r.buf) == 0 {
		r.fail()
		return 0
	}
	v, r.buf = r.buf[0], r.buf[1:]
	return v
}

func (r *reader) bool() bool { return r.byte() != 0 }

func (r *reader) int() int64 {
	v, size := binary.Varint(r.buf)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.buf = r.buf[size:]
	return v
}

// count is a number from 0 to most.
func (r *reader) count(most int) int {
	v := r.int()
	if v < 0 || v > int64(most) {
		r.fail()
		return 0
	}
	return int(v)
}

func (r *reader) uint32() uint32 {
	v := r.int()
	if v < 0 || v > math.MaxUint32 {
		r.fail()
		return 0
	}
	return uint32(v)
}

func (r *reader) int32() int32 {
	v := r.int()
	if v < math.MinInt32 || v > math.MaxInt32 {
		r.fail()
		return 0
	}
	return int32(v)
}

func (r *reader) float() float64 {
	if len(r.buf) < 8 {
		r.fail()
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.buf))
	r.buf = r.buf[8:]
	return v
}

func (r *reader) window() Window {
	w := Window{Start: r.int(), Slot: r.int32(), X: r.uint32(), N: r.uint32()}
	if w.X > w.N {
		r.fail()
	}
	return w
}

func (r *reader) recent(into *recent) {
	for range r.count(recentWindows) {
		before := into.count
		into.add(r.window())
		if into.count == before { // two of one start
			r.fail()
			return
		}
	}
}

func (r *reader) season(into *season) {
	into.newest = r.int32()
	for range r.count(seasonDays) {
		d := &day{number: r.int32()}
		filled, size := binary.Uvarint(r.buf)
		if size <= 0 || filled >= 1<<slotsPerDay || into.days[placeOf(d.number)] != nil {
			r.fail()
			return
		}
		r.buf = r.buf[size:]
		for i := range int32(slotsPerDay) {
			if filled&(1<<i) != 0 {
				d.set(i, cell{r.uint32(), r.uint32()})
			}
		}
		into.days[placeOf(d.number)] = d
	}
}
