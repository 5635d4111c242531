package rule

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"errors"
	"fmt"
	"slices"
)

// ErrSnapshot says that bytes are not the history of the same rules. Whoever kept them folds the log instead.
var ErrSnapshot = errors.New("not the history of these rules")

// snapshot is a History between two messages, as gob writes it.
type snapshot struct {
	Newest  windowSnapshot
	Slot    int32
	First   int64
	Recents []recentSnapshot
	Usuals  [][]byte // a baseline.Baseline each
	Days    [][]byte // a baseline.Ago each
	Volume  []byte   // a baseline.Volume; empty when no rule asks for it
}

type recentSnapshot struct {
	Starts []int64
	Values []float64
}

type windowSnapshot struct {
	Start, End int64
	Known      bool
	Total      int64
	Counts     [len(documented)]int64
	Others     []otherCount // by name
}

type otherCount struct {
	Name  string
	Count int64
}

// AppendBinary appends all that the History knows to buf, between [History.Settle] or [History.Correct] and the next window.
// Only a History of the same rules, in the same order, can be made of it again.
func (h *History) AppendBinary(buf []byte) ([]byte, error) {
	s := snapshot{Newest: h.newest.snapshot(), Slot: h.slot, First: h.first}
	for _, r := range h.recent {
		s.Recents = append(s.Recents, recentSnapshot{r.starts, r.values})
	}
	for _, u := range h.usual {
		b, err := u.base.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		s.Usuals = append(s.Usuals, b)
	}
	for _, d := range h.days {
		b, err := d.ago.AppendBinary(nil)
		if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		s.Days = append(s.Days, b)
	}
	if h.volume != nil {
		b, err := h.volume.AppendBinary(nil)
		if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		s.Volume = b
	}
	out := bytes.NewBuffer(buf)
	if err := gob.NewEncoder(out).Encode(&s); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return out.Bytes(), nil
}

// UnmarshalBinary makes the History of a new one. The error wraps [ErrSnapshot]; h must not be used then.
func (h *History) UnmarshalBinary(data []byte) error {
	var s snapshot
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if len(s.Recents) != len(h.recent) || len(s.Usuals) != len(h.usual) || len(s.Days) != len(h.days) ||
		(len(s.Volume) > 0) != (h.volume != nil) {
		return fmt.Errorf("%w: they look at other things", ErrSnapshot)
	}
	newest := s.Newest.window()
	h.newest, h.slot, h.first = newest.Behind(h.bare), s.Slot, s.First
	for i, r := range s.Recents {
		if len(r.Starts) != len(r.Values) || !slices.IsSorted(r.Starts) {
			return fmt.Errorf("%w: values without an order", ErrSnapshot)
		}
		h.recent[i].starts, h.recent[i].values = r.Starts, r.Values
	}
	return h.restoreUsual(&s)
}

func (h *History) restoreUsual(s *snapshot) error {
	var errs []error
	for i, data := range s.Usuals {
		errs = append(errs, h.usual[i].base.UnmarshalBinary(data))
	}
	for i, data := range s.Days {
		errs = append(errs, h.days[i].ago.UnmarshalBinary(data))
	}
	if h.volume != nil {
		errs = append(errs, h.volume.UnmarshalBinary(s.Volume))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	return nil
}

// Newest is the newest window observed, as it was corrected since, without a past.
func (h *History) Newest() Window { return h.newest.Behind(nil) }

func (w *Window) snapshot() windowSnapshot {
	s := windowSnapshot{Start: w.start, End: w.end, Known: w.known, Total: w.total, Counts: w.counts}
	for name, n := range w.others {
		s.Others = append(s.Others, otherCount{name, n})
	}
	slices.SortFunc(s.Others, func(a, b otherCount) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

func (s *windowSnapshot) window() Window {
	w := Window{start: s.Start, end: s.End, known: s.Known, total: s.Total, counts: s.Counts}
	if len(s.Others) > 0 {
		w.others = make(map[string]int64, len(s.Others))
		for _, o := range s.Others {
			w.others[o.Name] = o.Count
		}
	}
	return w
}
