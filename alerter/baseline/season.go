package baseline

// seasonDays is how many days a season covers: five weeks, today, and a day for the half hour before.
const seasonDays = 37

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

func (s *sum) add(c cell) {
	s.x += float64(c.x)
	s.n += float64(c.n)
}

// find is the day of a slot, nil when nothing is known of it, and which of its half hours the slot is.
func (s *season) find(slot int32) (d *day, i int32) {
	number := dayOf(slot)
	d = s.days[placeOf(number)]
	if d == nil || d.number != number {
		return nil, 0
	}
	return d, slot - number*slotsPerDay
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
	i := slot - number*slotsPerDay
	c := d.at(i)
	d.set(i, cell{saturated(c.x, int64(x)), saturated(c.n, int64(n))})
	s.touched(slot)
}

// change corrects what was added to the cell of a slot before.
func (s *season) change(slot int32, x, n int64) {
	if d, i := s.find(slot); d != nil {
		c := d.at(i)
		c = cell{saturated(c.x, x), saturated(c.n, n)}
		d.set(i, cell{min(c.x, c.n), c.n})
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
			for i := at - 1; i <= at+1; i++ {
				of.add(d.at(i))
			}
		}
		return of
	}
	for at := slot - 1; at <= slot+1; at++ {
		if d, i := s.find(at); d != nil {
			of.add(d.at(i))
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
