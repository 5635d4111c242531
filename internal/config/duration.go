package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time, never negative. Besides what [time.ParseDuration] reads it knows days of 24 hours and
// weeks: 90s, 5m, 1d12h, 2w. It is also a flag value.
type Duration time.Duration

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// Set reads a duration.
func (d *Duration) Set(value string) error {
	length, err := ParseDuration(value)
	if err == nil && length < 0 {
		err = fmt.Errorf("%s is negative", quote(value))
	}
	if err != nil {
		return err
	}
	*d = Duration(length)
	return nil
}

// String writes the duration as [Duration.Set] reads it, in the units people use: 400d, 1d12h, 5m.
func (d Duration) String() string {
	length := time.Duration(d)
	if length < day {
		return shorten(length.String())
	}
	days := strconv.FormatInt(int64(length/day), 10) + "d"
	if rest := length % day; rest != 0 {
		return days + shorten(rest.String())
	}
	return days
}

// shorten drops the zero units at the end of 1h0m0s.
func shorten(s string) string {
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Example is a right value.
func (Duration) Example() string { return "5m" }

// ParseDuration is [time.ParseDuration] with days (d) and weeks (w).
func ParseDuration(value string) (time.Duration, error) {
	var (
		rest = strings.TrimSpace(value)
		sign = time.Duration(1)
		sum  time.Duration
	)
	bad := fmt.Errorf("%s is not a duration", quote(value))
	if after, ok := strings.CutPrefix(rest, "-"); ok {
		rest, sign = after, -1
	}
	if rest == "0" {
		return 0, nil
	}
	if rest == "" {
		return 0, bad
	}
	for rest != "" {
		var (
			part time.Duration
			err  error
		)
		if part, rest, err = parsePart(rest); err != nil {
			return 0, bad
		}
		if sum += part; sum < 0 {
			return 0, fmt.Errorf("%s is too long", quote(value))
		}
	}
	return sign * sum, nil
}

// parsePart reads a number and its unit from the beginning of s and returns what follows them.
func parsePart(s string) (part time.Duration, rest string, err error) {
	const digits = "0123456789."
	number := s[:len(s)-len(strings.TrimLeft(s, digits))]
	rest = s[len(number):]
	unit := rest
	if end := strings.IndexAny(rest, digits); end >= 0 {
		unit = rest[:end]
	}
	rest = rest[len(unit):]
	switch unit {
	case "d":
		part, err = multiply(number, day)
	case "w":
		part, err = multiply(number, week)
	default:
		part, err = time.ParseDuration(number + unit)
	}
	return part, rest, err
}

// multiply returns number, a decimal, times a unit.
func multiply(number string, unit time.Duration) (time.Duration, error) {
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, err
	}
	if n > float64(math.MaxInt64/unit) {
		return 0, strconv.ErrRange
	}
	return time.Duration(math.Round(n * float64(unit))), nil
}
