package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// TestProgressElsewhere: away from a terminal quick work says nothing, long work a line every few seconds and one at the end.
func TestProgressElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		total   int64
		seconds int
		want    string
	}{
		"quick": {1000, 4, ""},
		"long": {15000, 12, "checked 5,000 of 15,000 messages (33%), 1,000/s, 10s left\n" +
			"checked 10,000 of 15,000 messages (66%), 1,000/s, 5s left\n" +
			"checked 12,000 messages in 12s\n"},
		"nobody knows how much": {0, 6, "checked 5,000 messages, 1,000/s\nchecked 6,000 messages in 6s\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				p := startProgress(&out, nil, "checked", "messages", c.total)
				for range c.seconds {
					time.Sleep(time.Second - time.Millisecond)
					p.add(1000)
					time.Sleep(time.Millisecond)
				}
				p.finish()
				p.finish()
				if got := out.String(); got != c.want {
					t.Errorf("told %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestProgressThatWaits: work that does not move, perhaps all night, says so once.
func TestProgressThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := startProgress(&out, nil, "checked", "messages", 1000)
		time.Sleep(10 * time.Hour)
		p.finish()
		if got, want := out.String(), "checked 0 of 1,000 messages (0%)\nchecked 0 messages in 10h00m\n"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// TestProgressOnATerminal: the bar comes after half a second, is drawn in place, and is gone at the end.
func TestProgressOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := startProgress(&out, func() int { return 80 }, "checked", "messages", 100)
		time.Sleep(barAfter - time.Millisecond)
		synctest.Wait()
		if out.Len() > 0 {
			t.Errorf("quick work shows %q", out.String())
		}
		p.add(50)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		shown := out.String()
		if n := strings.Count(shown, "\r"); n < 5 || strings.Contains(shown, "\n") || !strings.Contains(shown, "checked  50% ███") {
			t.Errorf("drawn %d times: %q", n, shown)
		}
		p.finish()
		if !strings.HasSuffix(out.String(), "\r\033[K") {
			t.Error("the bar stays behind")
		}
	})
}

func TestBar(t *testing.T) {
	s := standing{"checked", "messages", 441_000, 1_051_200, 4400 * time.Millisecond}
	for width, want := range map[int]string{
		120: "checked  41% ████████████░░░░░░░░░░░░░░░░░░ 441,000 of 1,051,200 messages, 100,227/s, 6s left",
		80:  "checked  41% ██████░░░░░░░░░░ 441,000 of 1,051,200 messages, 100,227/s, 6s left",
		71:  "checked  41% 441,000 of 1,051,200 messages, 100,227/s, 6s left",
		40:  "checked  41% 441,000 of 1,051,200 messa",
		1:   "",
	} {
		if got := s.bar(width); got != want {
			t.Errorf("at %d: %q, want %q", width, got, want)
		}
	}
	for _, s := range []standing{
		{}, {total: 5}, {done: 7, total: 5, elapsed: time.Second}, {done: 5, total: 5}, {verb: "asked", unit: "windows", done: 3, elapsed: time.Hour},
		{done: 1, total: 1 << 62, elapsed: time.Nanosecond}, {done: 1, total: 288 * 400, elapsed: 500 * time.Hour},
	} {
		for width := range 200 {
			if got := s.bar(width); utf8.RuneCountInString(got) > max(0, width-1) {
				t.Fatalf("%+v at %d: %q is wider", s, width, got)
			}
		}
		_ = s.line()
	}
}

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 400 * time.Millisecond: "0s", 59600 * time.Millisecond: "1m00s", 61 * time.Second: "1m01s",
		time.Hour: "1h00m", 47*time.Hour + 59*time.Minute: "47h59m", 75 * time.Hour: "3d3h",
	} {
		if got := brief(d); got != want {
			t.Errorf("brief(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -999: "-999", -1000: "-1,000"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
}
