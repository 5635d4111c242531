package events

import (
	"bytes"
	"time"
)

// canonical reads data that has exactly the form in which [MarshalData] writes the counts of a window: it is what nearly
// all messages of a history have, and reading it this way takes a third of the time. Of any other form it says nothing,
// not even that it is wrong; that is the business of the parser.
//
// What it accepts is JSON: the texts in it are printable ASCII without quotes and backslashes, the numbers plain digits,
// and the counts in strict order, so that none comes twice.
func (d *Decoder) canonical(data []byte) (e Event, ok bool) {
	s := scanner{rest: data}
	s.expect(`{"operation":"`)
	e.Operation = d.same(0, s.text())
	if s.have(`,"server":"`) {
		e.Server = d.same(1, s.text())
	}
	s.expect(`,"timezone":"`)
	e.Timezone = d.same(2, s.text())
	s.expect(`,"window":{"start":"`)
	e.Window.Start = s.time()
	s.expect(`,"end":"`)
	e.Window.End = s.time()
	s.expect(`},"revision":`)
	e.Revision = int(s.integer())
	s.expect(`,"total":`)
	e.Total = s.integer()
	s.expect(`,"counts":{`)
	e.Counts = d.canonicalCounts(&s)
	s.expect(`,"reported":[`)
	e.Reported = d.canonicalReported(&s)
	e.Ambiguous = s.have(`,"ambiguous":true`)
	s.expect(`,"polled_at":"`)
	e.PolledAt = s.time()
	s.expect(`}`)
	return e, !s.failed && len(s.rest) == 0
}

// canonicalCounts reads the counts behind their brace. All documented results must be among them.
func (d *Decoder) canonicalCounts(s *scanner) map[string]int64 {
	counts := make(map[string]int64, len(documented))
	var last string
	for known := 0; !s.failed; {
		s.expect(`"`)
		name := s.text()
		var result string
		if known < len(documented) && string(name) == documented[known] {
			result = documented[known]
			known++
		} else {
			result = d.internBytes(name)
		}
		s.expect(`:`)
		counts[result] = s.integer()
		if result <= last {
			s.failed = true
		}
		last = result
		if s.have(`}`) {
			s.failed = s.failed || known < len(documented)
			break
		}
		s.expect(`,`)
	}
	return counts
}

// canonicalReported reads the rows behind their bracket; nil when there are none.
func (d *Decoder) canonicalReported(s *scanner) []Reported {
	if s.have(`]`) {
		return nil
	}
	rows := make([]Reported, 0, len(documented))
	for !s.failed {
		s.expect(`{"result":"`)
		result := d.same(3+2*len(rows), s.text())
		s.expect(`,"count":"`)
		count := d.same(4+2*len(rows), s.text())
		s.expect(`}`)
		rows = append(rows, Reported{result, count})
		if s.have(`]`) {
			break
		}
		s.expect(`,`)
	}
	return rows
}

// maxSame bounds the texts that are remembered by their place.
const maxSame = 64

// same returns b as a string. The same text mostly comes at the same place of the next message, and is found without
// looking it up.
func (d *Decoder) same(place int, b []byte) string {
	if place < len(d.places) && d.places[place] == string(b) {
		return d.places[place]
	}
	s := d.internBytes(b)
	if place < maxSame {
		for place >= len(d.places) {
			d.places = append(d.places, "")
		}
		d.places[place] = s
	}
	return s
}

// scanner reads from the front of rest. When something else comes than what is expected, it has failed, and what it
// returns means nothing any more.
type scanner struct {
	rest   []byte
	failed bool
}

// have takes the literal if it comes next.
func (s *scanner) have(literal string) bool {
	if len(s.rest) < len(literal) || string(s.rest[:len(literal)]) != literal {
		return false
	}
	s.rest = s.rest[len(literal):]
	return true
}

func (s *scanner) expect(literal string) {
	if !s.have(literal) {
		s.failed = true
	}
}

// text takes a text up to its closing quote, and the quote.
func (s *scanner) text() []byte {
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		s.failed = true
		return nil
	}
	text := s.rest[:end]
	for _, c := range text {
		if c < 0x20 || c >= 0x7f || c == '\\' {
			s.failed = true
		}
	}
	s.rest = s.rest[end+1:]
	return text
}

// integer takes a number that is not negative, of up to eighteen digits.
func (s *scanner) integer() (n int64) {
	i := 0
	for ; i < len(s.rest) && i < 18 && '0' <= s.rest[i] && s.rest[i] <= '9'; i++ {
		n = 10*n + int64(s.rest[i]-'0')
	}
	if i == 0 || s.rest[0] == '0' && i > 1 {
		s.failed = true
	}
	s.rest = s.rest[i:] // a further digit is not what is expected behind a number
	return n
}

// time takes an instant in UTC up to its closing quote, and the quote.
func (s *scanner) time() (t time.Time) {
	text := s.text()
	if s.failed || len(text) == 0 || text[len(text)-1] != 'Z' || t.UnmarshalText(text) != nil || t.Year() < 1 {
		s.failed = true
	}
	return t
}
