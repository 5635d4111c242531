package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes: 2GiB, 500MB, or a plain number. It is also a flag value.
type Size int64

// units are tried in this order, so the plain B comes last.
var units = []struct {
	name  string
	bytes float64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

// Set reads a size.
func (s *Size) Set(value string) error {
	number, bytes := strings.TrimSpace(value), 1.0
	for _, unit := range units {
		cut := len(number) - len(unit.name)
		if cut > 0 && strings.EqualFold(number[cut:], unit.name) {
			number, bytes = strings.TrimSpace(number[:cut]), unit.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n < 0 || n*bytes != math.Trunc(n*bytes) || strings.ContainsAny(number, "eExXpP_") {
		return fmt.Errorf("%s is not a size", quote(value))
	}
	if n*bytes >= math.MaxInt64 {
		return fmt.Errorf("%s is too large", quote(value))
	}
	*s = Size(n * bytes)
	return nil
}

// String writes the size in the largest unit that divides it.
func (s Size) String() string {
	for _, unit := range units {
		if n := int64(unit.bytes); s != 0 && int64(s)%n == 0 && n > 1 {
			return strconv.FormatInt(int64(s)/n, 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// Example is a right value.
func (Size) Example() string { return "2GiB" }
