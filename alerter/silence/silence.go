package silence

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"unconnected/alerter/incident"
	"unconnected/events"
)

// Bounds of a silence. What has to be silent for longer is a rule to be changed.
const (
	Longest   = 31 * 24 * time.Hour
	MaxReason = 300 // characters
	MaxBy     = 80  // characters
)

// keptAfter is how long a silence that is over can still be listed.
const keptAfter = 24 * time.Hour

// ErrInvalid says that something can be no silence; the text says why.
var ErrInvalid = errors.New("not a silence")

// validID is what may name a silence: it is a key of the bucket, and people type it.
var validID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// NewID is an id that no other silence has, short enough to be typed: eight letters and digits.
func NewID() string { return strings.ToLower(rand.Text()[:8]) }

// Validate tells why s is no silence that somebody could want now, or nil. The error is [ErrInvalid].
func Validate(s *incident.Silence, now time.Time) error {
	if problem := problemOf(s, now); problem != "" {
		return fmt.Errorf("%w: %s", ErrInvalid, problem)
	}
	return nil
}

func problemOf(s *incident.Silence, now time.Time) string {
	switch {
	case !validID.MatchString(s.ID):
		return fmt.Sprintf("the id %.80q is not made of letters, digits, - and _", s.ID)
	case s.Operation != events.AllOperations && !events.ValidOperation(s.Operation):
		return fmt.Sprintf("operation %.80q is not a name", s.Operation)
	case s.From.IsZero():
		return "it has no beginning"
	case !s.Until.After(now):
		return "it would be over already: its end must be in the future"
	case !s.Until.After(s.From):
		return "it would end before it begins"
	case s.Until.Sub(s.From) > Longest || s.From.Sub(now) > Longest:
		return "it may begin at most 31 days from now and last at most 31 days; to be silent for longer, change the rule"
	}
	for _, rule := range s.Rules {
		if !events.ValidRule(rule) {
			return fmt.Sprintf("rule %.160q is not a name", rule)
		}
	}
	if problem := textProblem("its author", s.By, MaxBy); problem != "" || s.By == "" {
		return cmp.Or(problem, "it has no author")
	}
	return textProblem("the reason", s.Reason, MaxReason)
}

// textProblem says why a text that people will read cannot be shown as it is, or "".
func textProblem(what, text string, limit int) string {
	switch {
	case !utf8.ValidString(text):
		return what + " is not UTF-8"
	case utf8.RuneCountInString(text) > limit:
		return fmt.Sprintf("%s is longer than %d characters", what, limit)
	case strings.ContainsFunc(text, unicode.IsControl):
		return what + " contains a line break or another control character"
	}
	return ""
}

// soon is so near that nobody means it by tomorrow.
const soon = time.Hour

// Tomorrow is the next 07:00 on the clocks of zone that is at least an hour away, in UTC: when those who were woken are up again.
func Tomorrow(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	for days := 0; ; days++ {
		at := time.Date(local.Year(), local.Month(), local.Day()+days, 7, 0, 0, 0, zone)
		if !at.Before(now.Add(soon)) {
			return at.UTC()
		}
	}
}
