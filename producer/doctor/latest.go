package doctor

import "time"

// span is a half-open range of local times, written as if they were UTC.
type span struct{ from, to time.Time }

func (s span) length() time.Duration { return s.to.Sub(s.from) }

// resolution is how exactly the last call is looked for: zones differ by quarters of an hour.
const resolution = 450 * time.Second

// latest finds, by halving, where in a span that has calls the last ones are.
func latest(in span, has func(span) (bool, error)) (span, error) {
	for in.length() > resolution {
		middle := in.from.Add(in.length() / 2).Truncate(time.Second)
		later, err := has(span{middle, in.to})
		switch {
		case err != nil:
			return span{}, err
		case later:
			in.from = middle
		default:
			in.to = middle
		}
	}
	return in, nil
}
