package incident_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/incident"
)

const attempt = 10 * time.Second // how long one request may take

var (
	slackCaps    = incident.Caps{Threads: true, Edits: true, Lookup: true}
	webhookCaps  = incident.Caps{}
	terminalCaps = incident.Caps{Worse: true}
)

// fault is what goes wrong with one step.
type fault struct {
	name      string
	crash     string // "before intent", "after intent", "after post": the process dies there
	delivered bool   // the request took effect all the same
	fails     bool   // the request fails, as failure says
	failure   incident.Failure
}

// channel is a Slack in a few lines: what is shown, and what goes wrong.
type channel struct {
	root    []string // the transition of each root, in the order of posting
	shows   uint64   // the state that the newest root shows
	lines   []string // the transition of each line; an asterisk when it was broadcast
	plain   bool     // something was sent as plain text
	history bool     // look-ups work
}

// story drives one incident in one channel through Next until nothing is left to do, with one fault at the first step of
// its kind.
type story struct {
	channel
	caps   incident.Caps
	wishes incident.Wishes
	rec    incident.Record
	now    time.Time
	fault  fault
	at     incident.Step // the step that the fault strikes
	steps  []string
	until  time.Time // a wait for later than this ends the story; zero: none does
	// decide is asked instead of Next when it is not nil: about a group, which has no incident.
	decide func(incident.Record, time.Time) incident.Action
}

var errCrash = errors.New("the process died")

// tell brings the channel up to date with inc.
func (s *story) tell(t *testing.T, inc *incident.Incident) {
	t.Helper()
	for range 200 {
		a := s.next(inc)
		switch a.Step {
		case incident.Nothing:
			return
		case incident.Wait:
			if a.Until.Equal(s.wishes.Mute.Until) || !s.until.IsZero() && a.Until.After(s.until) {
				return // nothing more for a while
			}
			if !a.Until.After(s.now) {
				t.Fatalf("waits until %v, and it is %v", a.Until, s.now)
			}
			s.now = a.Until
			continue
		}
		s.steps = append(s.steps, a.Step.String())
		if err := s.step(inc, a); err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		s.now = s.now.Add(time.Second)
	}
	t.Fatalf("no end to it: %v", s.steps)
}

func (s *story) next(inc *incident.Incident) incident.Action {
	if s.decide != nil {
		return s.decide(s.rec, s.now)
	}
	return incident.Next(inc, s.rec, s.caps, s.wishes, s.now)
}

// step does what the shell does: store the intent, do it, store the result. A crash loses what was not stored.
func (s *story) step(inc *incident.Incident, a incident.Action) error {
	f := fault{}
	if a.Step == s.at {
		f, s.fault, s.at = s.fault, fault{}, incident.Nothing
	}
	if f.crash == "before intent" {
		return errCrash
	}
	s.rec = s.rec.Intend(a, inc, s.now, s.now.Add(attempt))
	if f.crash == "after intent" {
		return errCrash
	}
	if a.Step == incident.FindRoot || a.Step == incident.FindLine || a.Step == incident.FindReminder {
		return s.find(a)
	}
	got := incident.Receipt{}
	if !f.fails || f.delivered {
		got = s.do(a)
	}
	switch {
	case f.crash == "after post":
		return errCrash
	case f.fails:
		s.rec = s.rec.Failed(a, f.failure, s.now)
	default:
		s.rec = s.rec.Done(a, got, s.now)
	}
	return nil
}

func (s *story) do(a incident.Action) incident.Receipt {
	s.plain = s.plain || a.Plain
	switch a.Step {
	case incident.PostRoot:
		s.root, s.shows = append(s.root, a.Transition), a.Shows
	case incident.EditRoot:
		s.shows = a.Shows
	case incident.PostLine, incident.PostReminder:
		line := a.Transition
		if a.Broadcast {
			line += "*"
		}
		s.lines = append(s.lines, line)
	}
	return incident.Receipt{ChannelID: "C1", TS: fmt.Sprint(len(s.root))}
}

func (s *story) find(a incident.Action) error {
	shown := append(slices.Clone(s.root), s.lines...)
	found := slices.ContainsFunc(shown, func(id string) bool { return strings.TrimSuffix(id, "*") == a.Transition })
	switch {
	case !s.history:
		s.rec = s.rec.NoHistory(a, s.now)
	case found:
		s.rec = s.rec.Done(a, incident.Receipt{ChannelID: "C1", TS: fmt.Sprint(len(s.root))}, s.now)
	default:
		s.rec = s.rec.NotFound(a)
	}
	return nil
}
