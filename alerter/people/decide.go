package people

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"unconnected/alerter/incident"
	"unconnected/alerter/silence"
	"unconnected/alerter/slack"
	"unconnected/events"
)

// Situation is what a click is judged by.
type Situation struct {
	Incident *incident.Incident // nil when nobody knows it any more
	Silences []incident.Silence
	Zone     *time.Location // of the operation's people; nil for UTC
	Now      time.Time
}

// Decision is what follows from a click: something to be done, or something to be said to whoever clicked. The zero Decision
// is nothing at all.
type Decision struct {
	Record  *events.Action    // to be recorded: an acknowledgement
	Silence *incident.Silence // to be put in force, for the incident clicked on
	Say     string
}

// Decide is what follows from a click by somebody who may. A click that was dealt with before has nothing more to say.
func Decide(c slack.Click, who silence.Person, s Situation, language string) Decision {
	w := wordsFor(language)
	switch {
	case c.Action != slack.ActionAcknowledge && c.Action != slack.ActionSilence:
		return Decision{} // a link, or a button of another version
	case s.Incident == nil:
		return Decision{Say: w.unknown}
	case !s.Incident.Open:
		return Decision{Say: fmt.Sprintf(w.over, w.moment(s.Incident.End, s))}
	case c.Action == slack.ActionAcknowledge:
		return acknowledge(c, who, s, w)
	}
	return hush(c, who, s, w)
}

func acknowledge(c slack.Click, who silence.Person, s Situation, w *words) Decision {
	wanted := events.Action{
		Action: events.Acknowledged, Operation: s.Incident.Operation, Incident: s.Incident.ID,
		Key: c.Key(), By: who.Name, User: who.User, At: moment(c, s.Now),
	}
	switch acked := s.Incident.Acked; {
	case acked == nil:
		return Decision{Record: &wanted}
	case acked.ID() == wanted.ID():
		return Decision{}
	case acked.User == who.User && who.User != "":
		return Decision{Say: fmt.Sprintf(w.youAreOnIt, w.moment(acked.At, s))}
	default:
		return Decision{Say: fmt.Sprintf(w.isOnIt, acked.By, w.moment(acked.At, s))}
	}
}

// hush is a silence of what fires of the incident.
func hush(c slack.Click, who silence.Person, s Situation, w *words) Decision {
	at := moment(c, s.Now)
	until, ok := endOf(c.Choice, at, zoneOf(s))
	if !ok {
		return Decision{Say: w.choose}
	}
	wanted := incident.Silence{
		ID: silenceID(c), Operation: s.Incident.Operation, Rules: s.Incident.FiringRules(), From: at, Until: until, By: who.Name,
	}
	if len(wanted.Rules) == 0 {
		return Decision{Say: fmt.Sprintf(w.over, w.moment(s.Incident.End, s))}
	}
	for _, known := range s.Silences {
		if known.ID == wanted.ID {
			return Decision{} // it may have been ended since: it is not put in force again
		}
	}
	if mute := incident.MuteOf(s.Incident, s.Silences, s.Now); mute.Active() && !mute.Until.Before(until) {
		return Decision{Say: fmt.Sprintf(w.isSilent, w.moment(mute.Until, s), mute.By)}
	}
	return Decision{Silence: &wanted}
}

// endOf is when a silence ends that is chosen from the menu.
func endOf(choice string, at time.Time, zone *time.Location) (time.Time, bool) {
	switch choice {
	case slack.SilenceHour:
		return at.Add(time.Hour), true
	case slack.SilenceHours:
		return at.Add(4 * time.Hour), true
	case slack.SilenceTomorrow:
		return silence.Tomorrow(at, zone), true
	}
	return time.Time{}, false
}

// silenceID is the id of the silence that a click makes: the same, however often the click comes, and one to be typed.
func silenceID(c slack.Click) string {
	sum := sha256.Sum256([]byte(c.Key() + " " + c.Incident))
	return hex.EncodeToString(sum[:5])
}

// moment is when somebody clicked, on Slack's clock, so that it is the same when the click comes again. A clock that is far
// from ours is not believed.
func moment(c slack.Click, now time.Time) time.Time {
	const apart = time.Hour
	if c.At.IsZero() || now.Sub(c.At).Abs() > apart {
		return now.UTC().Truncate(time.Second)
	}
	return c.At
}

func zoneOf(s Situation) *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}

// moment is a time as people on the spot read it after "since" or "until", with the date where that is another day.
func (w *words) moment(at time.Time, s Situation) string {
	return slack.Moment(w.language, at.In(zoneOf(s)), s.Now)
}

// tidy is a name from outside, fit to be stored: one line of text.
func tidy(name, otherwise string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > silence.MaxBy {
		name = string(runes[:silence.MaxBy])
	}
	if name = strings.TrimSpace(name); name == "" {
		return otherwise
	}
	return name
}
