package rule_test

import (
	"strings"
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	bogota, err := time.LoadLocation("America/Bogota")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		hours string
		in    []string // local times of the week from Monday 2026-11-16 on
		out   []string
	}{
		{"Mon-Sat 07:00-21:00",
			[]string{"16 07:00", "16 20:59", "21 12:00"}, []string{"16 06:59", "16 21:00", "22 12:00"}},
		{"07:00-21:00", []string{"22 07:00"}, []string{"22 21:00"}},
		{"Sunday 10:00-12:00", []string{"22 10:00"}, []string{"21 10:00"}},
		{"22:00-06:00", []string{"16 22:00", "17 05:59", "22 23:59", "16 00:00"}, []string{"16 06:00", "16 21:59"}},
		{"Sat 22:00-06:00", []string{"21 22:00", "22 05:59"}, []string{"21 05:59", "22 06:00", "22 22:00"}},
		{"Sun 22:00-06:00", []string{"22 23:00", "16 05:59"}, []string{"17 05:59"}},
		{"Fri-Mon 08:00-09:00", []string{"20 08:00", "21 08:00", "22 08:00", "16 08:00"}, []string{"17 08:00", "19 08:00"}},
		{"Mon-Fri 07:00-21:00, sat 08:00-13:00", []string{"20 20:00", "21 12:59"}, []string{"21 13:00", "22 09:00"}},
		{"Sat 00:00-24:00", []string{"21 00:00", "21 23:59"}, []string{"20 23:59", "22 00:00"}},
	} {
		t.Run(c.hours, func(t *testing.T) {
			r := one(t, "expr: total > 5", "hours: "+c.hours)
			check := func(times []string, want bool) {
				for _, text := range times {
					at, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-"+text, bogota)
					if err != nil {
						t.Fatal(err)
					}
					if got := r.InHours(at.UTC(), bogota); got != want {
						t.Errorf("%s: in hours is %v", at.Format("Mon 15:04"), got)
					}
				}
			}
			check(c.in, true)
			check(c.out, false)
		})
	}
}

func TestHolidaysAreWholeLocalDays(t *testing.T) {
	bogota, err := time.LoadLocation("America/Bogota") // five hours behind UTC
	if err != nil {
		t.Fatal(err)
	}
	r := parse(t, "holidays: [2026-12-08]\nrules: [{alert: Test, expr: total > 5}]").Find("Test")
	for _, c := range []struct {
		at   string
		want bool
	}{
		{"2026-12-08T04:59:59Z", true}, {"2026-12-08T05:00:00Z", false},
		{"2026-12-09T04:59:59Z", false}, {"2026-12-09T05:00:00Z", true},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.InHours(at, bogota); got != c.want {
			t.Errorf("%s: in hours is %v", c.at, got)
		}
	}
}

func TestRefusedHours(t *testing.T) {
	for _, c := range []struct{ hours, message string }{
		{"always", "is not a range of hours"},
		{"Mon-Sat", "is not a range of hours"},
		{"Mon-Sat 7-21", "is not a range of hours"},
		{"Lun-Vie 07:00-21:00", `"Lun" is no day`},
		{"Mon-Fry 07:00-21:00", `"Fry" is no day`},
		{"25:00-26:00", "begins at no time of the day"},
		{"24:00-01:00", "begins at no time of the day"},
		{"07:00-21:60", "ends at no time of the day"},
		{"07:00-07:00", "a whole day is 00:00-24:00"},
		{"07:00-21:00,", "is not a range of hours"},
	} {
		t.Run(c.hours, func(t *testing.T) {
			got := refusal(t, oneText("expr: total > 5", "hours: "+quoted(c.hours)))[0]
			if !strings.Contains(got, c.message) {
				t.Errorf("got %s, want %s", got, c.message)
			}
		})
	}
}
