package diagnosis

import (
	"fmt"
	"strconv"
	"time"
)

// Bytes is a size for people, such as 1.5 GiB.
func Bytes(n uint64) string {
	const unit = 1024
	if n < unit {
		return strconv.FormatUint(n, 10) + " B"
	}
	size, names := float64(n)/unit, "KMGTPE"
	for size >= unit && len(names) > 1 {
		size, names = size/unit, names[1:]
	}
	return fmt.Sprintf("%.1f %ciB", size, names[0])
}

// Plural is a number of things, such as 3 streams.
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// Lasting is a duration for people, as exact as they want it: 45s, 12m, 3h20m, 5 days.
func Lasting(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Abs().Round(time.Second)
	if d < 2*time.Minute {
		return d.String()
	}
	switch d = d.Round(time.Minute); {
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 2*day:
		if minutes := int(d % time.Hour / time.Minute); minutes > 0 {
			return fmt.Sprintf("%dh%02dm", int(d/time.Hour), minutes)
		}
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return Plural(int(d.Round(day)/day), "day")
}
