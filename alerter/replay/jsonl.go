package replay

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"unconnected/events"
)

// maxLine bounds a line of JSON in bytes. An event has half a kilobyte; those with more are not ours.
const maxLine = 2 << 20

// BadLine is a line that is no window.
type BadLine struct {
	Line int // from 1
	Err  error
}

// BadLines is every line of a file that is no window, as an error.
type BadLines []BadLine

// Error has one line for each, of many the first twenty.
func (b BadLines) Error() string {
	const most = 20
	var lines []string
	for i, bad := range b {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d lines more", len(b)-most))
			break
		}
		lines = append(lines, fmt.Sprintf("line %d: %v", bad.Line, bad.Err))
	}
	return strings.Join(lines, "\n")
}

// ReadJSONL reads windows as `unconnected history --format jsonl` writes them, the data of one event a line, in any order
// and of any operations. It returns the last revision of each window in the order of time, as if all had been live. Lines
// that are no windows are an error of type [BadLines].
func ReadJSONL(r io.Reader) ([]events.Event, error) {
	var bad BadLines
	var failed error
	latest, err := events.Latest(func(yield func(events.Event, error) bool) {
		failed = lines(r, func(number int, e events.Event, err error) bool {
			if err != nil {
				bad = append(bad, BadLine{number, err})
				return true
			}
			return yield(e, nil)
		})
	})
	switch {
	case failed != nil:
		return nil, failed
	case err != nil:
		return nil, err
	case len(bad) > 0:
		return nil, bad
	}
	for i := range latest {
		asLive(&latest[i])
	}
	return latest, nil
}

// asLive makes a window one that was live, whatever it was.
func asLive(e *events.Event) { e.Revision, e.Backfill, e.Stored = 0, false, time.Time{} }

// lines decodes line by line, until each says that it wants no more.
func lines(r io.Reader, each func(number int, e events.Event, err error) bool) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 0, 64<<10), maxLine)
	var decoder events.Decoder
	number := 0
	for scanner.Scan() {
		number++
		line := bytes.TrimSpace(scanner.Bytes())
		if len(line) == 0 {
			continue
		}
		e, err := decoder.UnmarshalData(line)
		if err == nil {
			err = e.Validate()
		}
		e.Reported = nil // nobody here reads it, and it is half of the memory
		if !each(number, e, err) {
			return nil
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	return nil
}
