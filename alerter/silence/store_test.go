package silence_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/alerter/silence"
	"unconnected/events"
	"unconnected/internal/natsio"
	"unconnected/internal/natstest"
)

var ana = silence.Person{Name: "Ana Torres", User: "U0000001"}

func open(t *testing.T) (*silence.Store, jetstream.JetStream) {
	t.Helper()
	js := natstest.Streams(t)
	store, err := silence.Open(t.Context(), js, 1)
	if err != nil {
		t.Fatal(err)
	}
	return store, js
}

func wanted(now time.Time) incident.Silence {
	return incident.Silence{
		ID: "s1", Operation: "ventas", Rules: []string{"Congestion"}, From: now, Until: now.Add(time.Hour), Reason: "the carrier works on it",
	}
}

// actions are the deeds that ALERTS holds: action, key, by.
func actions(t *testing.T, js jetstream.JetStream) []string {
	t.Helper()
	stream, err := js.Stream(t.Context(), events.StreamAlerts)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	state := stream.CachedInfo().State
	for seq := state.FirstSeq; seq != 0 && seq <= state.LastSeq; seq++ {
		raw, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		a, err := events.DecodeRawAction(raw)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, a.ID()+" by "+a.By)
	}
	return list
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAddAndExpire: what is added is in force and recorded once, however often it is added; what is ended stays to be listed
// for a day, and both are kept no longer than that.
func TestAddAndExpire(t *testing.T) {
	store, js := open(t)
	now := time.Now().UTC().Truncate(time.Second)
	for range 3 {
		if err := store.Add(t.Context(), wanted(now), ana, "ventas/2026-11-22T15:00:00Z", now); err != nil {
			t.Fatal(err)
		}
	}
	list, err := store.List(t.Context())
	if err != nil || len(list) != 1 || !list[0].Active(now) || list[0].By != "Ana Torres" {
		t.Fatalf("listed %+v, %v", list, err)
	}
	keptFor(t, js, "s1", 25*time.Hour)

	ended := now.Add(10 * time.Minute)
	got, err := store.Expire(t.Context(), "s1", silence.Person{Name: "luis"}, ended)
	if err != nil || got.Active(ended) || !got.Until.Equal(ended) {
		t.Fatalf("ended %+v, %v", got, err)
	}
	keptFor(t, js, "s1", 24*time.Hour)
	if _, err := store.Expire(t.Context(), "s1", ana, ended.Add(time.Minute)); !errors.Is(err, silence.ErrOver) {
		t.Errorf("ending it again says %v", err)
	}
	if err := store.Add(t.Context(), wanted(now), ana, "", now); err != nil {
		t.Errorf("a repeated envelope says %v", err)
	}
	if list, _ = store.List(t.Context()); len(list) != 1 || list[0].Active(ended) {
		t.Errorf("a repeated envelope revives what was ended: %+v", list)
	}
	expect(t, actions(t, js), "ventas/silenced/s1 by Ana Torres", "ventas/unsilenced/s1 by luis")
}

// TestRecordsWhenItBegins: whoever reads of a silence that begins later reads when.
func TestRecordsWhenItBegins(t *testing.T) {
	store, js := open(t)
	now := time.Now().UTC().Truncate(time.Second)
	for id, in := range map[string]time.Duration{"now": 0, "soon": 2 * time.Second, "later": 10 * time.Minute} {
		s := wanted(now)
		s.ID, s.From = id, now.Add(in)
		if err := store.Add(t.Context(), s, ana, "", now); err != nil {
			t.Fatal(err)
		}
		raw, err := recorded(t, js)
		if err != nil {
			t.Fatal(err)
		}
		if later := raw.From != nil; later != (in == 10*time.Minute) || later && !raw.From.Equal(s.From) {
			t.Errorf("%s: begins at %v, want %v", id, raw.From, s.From)
		}
	}
}

// recorded is the last deed that ALERTS holds.
func recorded(t *testing.T, js jetstream.JetStream) (events.Action, error) {
	t.Helper()
	stream, err := js.Stream(t.Context(), events.StreamAlerts)
	if err != nil {
		return events.Action{}, err
	}
	raw, err := stream.GetLastMsgForSubject(t.Context(), events.ActionSubject("ventas"))
	if err != nil {
		return events.Action{}, err
	}
	return events.DecodeRawAction(raw)
}

// keptFor looks at the time to live of a key.
func keptFor(t *testing.T, js jetstream.JetStream, id string, want time.Duration) {
	t.Helper()
	stream, err := js.Stream(t.Context(), "KV_"+natsio.BucketSilences)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := stream.GetLastMsgForSubject(t.Context(), "$KV."+natsio.BucketSilences+"."+id)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := time.ParseDuration(raw.Header.Get(jetstream.MsgTTLHeader)); err != nil || got != want {
		t.Errorf("it is kept for %q, want %v", raw.Header.Get(jetstream.MsgTTLHeader), want)
	}
}

func TestRefused(t *testing.T) {
	store, js := open(t)
	now := time.Now().UTC()
	if err := store.Add(t.Context(), wanted(now), ana, "", now); err != nil {
		t.Fatal(err)
	}
	other := wanted(now)
	other.Operation = "cobranza"
	if err := store.Add(t.Context(), other, ana, "", now); !errors.Is(err, silence.ErrTaken) {
		t.Errorf("another one under its id: %v", err)
	}
	for _, id := range []string{"nothing", "", "a.b", "*", ">", strings.Repeat("x", 200)} {
		if _, err := store.Expire(t.Context(), id, ana, now); !errors.Is(err, silence.ErrNotFound) {
			t.Errorf("ending %q says %v", id, err)
		}
	}
	expect(t, actions(t, js), "ventas/silenced/s1 by Ana Torres")
}

// TestUnrecorded: without ALERTS the silence holds all the same, and says so; adding it again records it.
func TestUnrecorded(t *testing.T) {
	store, js := open(t)
	now := time.Now().UTC()
	if err := js.DeleteStream(t.Context(), events.StreamAlerts); err != nil {
		t.Fatal(err)
	}
	if err := store.Add(t.Context(), wanted(now), ana, "", now); !errors.Is(err, silence.ErrUnrecorded) {
		t.Fatalf("without ALERTS it says %v", err)
	}
	if list, err := store.List(t.Context()); err != nil || len(list) != 1 {
		t.Fatalf("listed %+v, %v", list, err)
	}
	if _, err := js.CreateStream(t.Context(), events.AlertsStream(events.StreamOptions{})); err != nil {
		t.Fatal(err)
	}
	if err := store.Add(t.Context(), wanted(now), ana, "", now); err != nil {
		t.Fatal(err)
	}
	expect(t, actions(t, js), "ventas/silenced/s1 by Ana Torres")
}

// TestView: it knows from the start what is there, and follows.
func TestView(t *testing.T) {
	store, _ := open(t)
	now := time.Now().UTC().Truncate(time.Second)
	if err := store.Add(t.Context(), wanted(now), ana, "", now); err != nil {
		t.Fatal(err)
	}
	view, err := store.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if all := view.All(); len(all) != 1 || !view.Next(now).Equal(now.Add(time.Hour)) {
		t.Fatalf("it begins with %+v, next %v", all, view.Next(now))
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); view.Run(ctx) }()
	defer func() { cancel(); <-done }()

	second := wanted(now)
	second.ID, second.Until = "s2", now.Add(30*time.Minute)
	if err := store.Add(t.Context(), second, ana, "", now); err != nil {
		t.Fatal(err)
	}
	until(t, view, func(all []incident.Silence) bool { return len(all) == 2 && all[0].ID == "s2" })
	if _, err := store.Expire(t.Context(), "s1", ana, now); err != nil {
		t.Fatal(err)
	}
	until(t, view, func(all []incident.Silence) bool { return len(all) == 2 && all[0].ID == "s1" && !all[0].Active(now) })
}

func until(t *testing.T, view *silence.View, is func([]incident.Silence) bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !is(view.All()) {
		select {
		case <-view.Changed():
		case <-deadline:
			t.Fatalf("waited in vain; it shows %+v", view.All())
		}
	}
}

func TestValidate(t *testing.T) {
	now := time.Date(2026, 11, 25, 15, 0, 0, 0, time.UTC)
	for want, change := range map[string]func(*incident.Silence){
		"":                   func(*incident.Silence) {},
		"in the future":      func(s *incident.Silence) { s.Until = now },
		"before it begins":   func(s *incident.Silence) { s.From = now.Add(2 * time.Hour) },
		"no beginning":       func(s *incident.Silence) { s.From = time.Time{} },
		"at most 31 days":    func(s *incident.Silence) { s.Until = now.Add(silence.Longest + time.Second) },
		"31 days from now":   func(s *incident.Silence) { s.From, s.Until = now.Add(32*24*time.Hour), now.Add(33*24*time.Hour) },
		"operation \"_All\"": func(s *incident.Silence) { s.Operation = "_All" },
		"rule \"a.b\"":       func(s *incident.Silence) { s.Rules = []string{"a.b"} },
		"the id":             func(s *incident.Silence) { s.ID = "a.b" },
		"no author":          func(s *incident.Silence) { s.By = "" },
		"author is longer":   func(s *incident.Silence) { s.By = strings.Repeat("ñ", 81) },
		"reason is longer":   func(s *incident.Silence) { s.Reason = strings.Repeat("x", 301) },
		"control character":  func(s *incident.Silence) { s.Reason = "all\nis well" },
		"not UTF-8":          func(s *incident.Silence) { s.Reason = "\xff" },
	} {
		s := wanted(now)
		s.By = "ana"
		change(&s)
		err := silence.Validate(&s, now)
		if want == "" && err != nil || want != "" && (!errors.Is(err, silence.ErrInvalid) || !strings.Contains(err.Error(), want)) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	all := wanted(now)
	all.Operation, all.Rules, all.By = events.AllOperations, nil, "ana"
	if err := silence.Validate(&all, now); err != nil {
		t.Error(err)
	}
}

func TestTomorrow(t *testing.T) {
	const bogota, newYork = "America/Bogota", "America/New_York"
	for _, c := range []struct{ zone, at, want string }{
		{bogota, "2026-11-25T15:00:00Z", "2026-11-26T12:00:00Z"}, // 10:00 there
		{bogota, "2026-11-25T08:00:00Z", "2026-11-25T12:00:00Z"}, // 03:00: the same day
		{bogota, "2026-11-25T11:00:00Z", "2026-11-25T12:00:00Z"}, // 06:00
		{bogota, "2026-11-25T11:00:01Z", "2026-11-26T12:00:00Z"}, // nobody wants silence for less than an hour by that
		{bogota, "2026-11-25T12:00:00Z", "2026-11-26T12:00:00Z"},
		{bogota, "2026-11-26T03:00:00Z", "2026-11-26T12:00:00Z"}, // 22:00 the day before
		{bogota, "2026-12-31T23:00:00Z", "2027-01-01T12:00:00Z"},
		{newYork, "2026-03-07T20:00:00Z", "2026-03-08T11:00:00Z"}, // the clocks go forward in between
		{newYork, "2026-10-31T20:00:00Z", "2026-11-01T12:00:00Z"}, // and back
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := silence.Tomorrow(now, zone).Format(time.RFC3339); got != c.want {
			t.Errorf("at %s in %s it is %s, want %s", c.at, c.zone, got, c.want)
		}
	}
}
