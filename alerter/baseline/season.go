package baseline

// seasonDays is how many days a season covers: five weeks, today, and a day for the half hour before.
const seasonDays = 37

// cell is what one half hour held. In the season of a share x are calls with the result and n all of them; in the season
// of a volume x are calls and n windows. Both stop at the highest number instead of overflowing.
type cell struct{ x, n uint32 }

// day is the half hours of one local day.
type day struct {
	number int32 // days since 1970
	cells  [slotsPerDay]cell
}

// season is the history by local half hours, five weeks of it. Days without windows take no memory. The zero season is
// empty.
type season struct {
	days   [seasonDays]*day // day d is at d modulo seasonDays
	newest int32            // number of the newest day ever added to

	// What was pooled last. It is derived from days, and only saves doing it for each window of a half hour.
	pooledSlot int32
	pooled     bool
	weeks      [5]sum
	sameTime   [7]sum // 1 to 7 days ago
}

// sum is cells pooled.
type sum struct{ x, n float64 }

// cellOf is the cell of a slot, nil when nothing is known of its day.
func (s *season) cellOf(slot int32) *cell {
	number := dayOf(slot)
	d := s.days[placeOf(number)]
	if d == nil || d.number != number {
		return nil
	}
	return &d.cells[slot-number*slotsPerDay]
}

func dayOf(slot int32) int32 { return int32(floorDiv(int64(slot), slotsPerDay)) }

func placeOf(day int32) int32 {
	place := day % seasonDays
	if place < 0 {
		place += seasonDays
	}
	return place
}

// add adds to the cell of a slot. Slots that are older than what a season covers change nothing.
func (s *season) add(slot int32, x, n uint32) {
	number := dayOf(slot)
	place := placeOf(number)
	d := s.days[place]
	switch {
	case d == nil:
		if s.newest-number >= seasonDays {
			return
		}
		d = &day{number: number}
		s.days[place] = d
	case d.number > number:
		return
	case d.number < number:
		*d = day{number: number}
		s.pooled = false
	}
	s.newest = max(s.newest, number)
	c := &d.cells[slot-number*slotsPerDay]
	c.x, c.n = saturated(c.x, int64(x)), saturated(c.n, int64(n))
	s.touched(slot)
}

// change corrects what was added to the cell of a slot before.
func (s *season) change(slot int32, x, n int64) {
	if c := s.cellOf(slot); c != nil {
		c.x, c.n = saturated(c.x, x), saturated(c.n, n)
		c.x = min(c.x, c.n)
		s.touched(slot)
	}
}

// touched forgets what was pooled when a cell changed that may be in it.
func (s *season) touched(slot int32) {
	if slot <= s.pooledSlot-slotsPerDay+1 {
		s.pooled = false
	}
}

func saturated(a uint32, b int64) uint32 {
	return uint32(min(max(int64(a)+b, 0), 1<<32-1))
}

// around pools the three half hours around a slot.
func (s *season) around(slot int32) (of sum) {
	number := dayOf(slot)
	if at := slot - number*slotsPerDay; at > 0 && at < slotsPerDay-1 { // all three are on one day
		if d := s.days[placeOf(number)]; d != nil && d.number == number {
			for _, c := range d.cells[at-1 : at+2] {
				of.x += float64(c.x)
				of.n += float64(c.n)
			}
		}
		return of
	}
	for at := slot - 1; at <= slot+1; at++ {
		if c := s.cellOf(at); c != nil {
			of.x += float64(c.x)
			of.n += float64(c.n)
		}
	}
	return of
}

// pool fills weeks and sameTime for a slot.
func (s *season) pool(slot int32) {
	if s.pooled && s.pooledSlot == slot {
		return
	}
	for k := range s.weeks {
		s.weeks[k] = s.around(slot - int32(k+1)*slotsPerWeek)
	}
	for k := range s.sameTime {
		s.sameTime[k] = s.around(slot - int32(k+1)*slotsPerDay)
	}
	s.pooledSlot, s.pooled = slot, true
}

// median is that of (x+c·p)/(n+c) over the past weeks at the time of a slot, or the past days when fewer than two weeks
// have at least n; weight is the sum of the n that it is of. It is not ok when there is neither.
func (s *season) median(slot int32, least, c, p float64) (value, weight float64, ok bool) {
	s.pool(slot)
	value, weight, count := medianOf(s.weeks[:], least, c, p)
	if count < 2 {
		value, weight, count = medianOf(s.sameTime[:], least, c, p)
	}
	return value, weight, count > 0
}

func medianOf(sums []sum, least, c, p float64) (value, weight float64, count int) {
	var values [7]float64
	for _, of := range sums {
		if of.n >= least {
			values[count] = (of.x + c*p) / (of.n + c)
			weight += of.n
			count++
		}
	}
	if count == 0 {
		return 0, 0, 0
	}
	for i := 1; i < count; i++ { // insertion sort: there are seven at most
		for k := i; k > 0 && values[k] < values[k-1]; k-- {
			values[k], values[k-1] = values[k-1], values[k]
		}
	}
	return (values[(count-1)/2] + values[count/2]) / 2, weight, count
}
