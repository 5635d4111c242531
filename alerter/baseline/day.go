package baseline

// cell is what one half hour held. In the season of a share x are calls with the result and n all of them; in the season
// of a volume x are calls and n windows. Both stop at the highest number instead of overflowing.
type cell struct{ x, n uint32 }

// day is the half hours of one local day. Its cells take half the room while all their numbers are below 65,536, which is
// nearly always.
type day struct {
	number int32 // days since 1970
	small  [slotsPerDay]smallCell
	large  *[slotsPerDay]cell // holds instead of small, once a number was too large for that; nil before
}

// smallCell is a cell of small numbers.
type smallCell struct{ x, n uint16 }

// at is the cell of half hour i, 0 being the one after midnight.
func (d *day) at(i int32) cell {
	if d.large != nil {
		return d.large[i]
	}
	c := d.small[i]
	return cell{uint32(c.x), uint32(c.n)}
}

func (d *day) set(i int32, c cell) {
	small := smallCell{uint16(c.x), uint16(c.n)}
	if d.large == nil && (cell{uint32(small.x), uint32(small.n)}) != c {
		d.enlarge()
	}
	if d.large != nil {
		d.large[i] = c
		return
	}
	d.small[i] = small
}

func (d *day) enlarge() {
	var large [slotsPerDay]cell
	for i := range int32(slotsPerDay) {
		large[i] = d.at(i)
	}
	d.large = &large
}
