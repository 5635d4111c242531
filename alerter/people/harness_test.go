package people_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	slackgo "github.com/slack-go/slack"

	"unconnected/alerter/incident"
	"unconnected/alerter/people"
	"unconnected/alerter/silence"
	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/natsserver"
	"unconnected/internal/natstest"
)

// patience bounds every wait. It is only ever used up by a test that fails.
const patience = 30 * time.Second

const (
	incidentID = "ventas/2026-11-22T15:00:00Z"
	ana        = "U0000001"
	luis       = "U0000002"
	eva        = "U0000003" // in no channel
)

// begin is when the incident of the tests began.
var begin = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

// known is what the alerter knows.
type known struct {
	mu   sync.Mutex
	fold *incident.Fold // guarded by mu
}

func (k *known) Get(id, channel string) (incident.Incident, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	inc, ok := k.fold.Get(id)
	if part, routed := incident.Routes(&inc, nil, channelOf)[channel]; routed {
		return part, true
	}
	return inc, ok
}

// channelOf tells #random of Busy, and #noc of all else.
func channelOf(rule string) string {
	if rule == "Busy" {
		return "#random"
	}
	return "#noc"
}

func (k *known) Open() []incident.Incident {
	k.mu.Lock()
	defer k.mu.Unlock()
	var open []incident.Incident
	for _, inc := range k.fold.All() {
		if inc.Open {
			open = append(open, inc)
		}
	}
	return open
}

func (k *known) Checkpoints() map[string]time.Time {
	return map[string]time.Time{"ventas": time.Now().Add(-3 * time.Minute), "cob": time.Now().Add(-90 * time.Minute)}
}

// apply takes an alert event or a deed.
func (k *known) apply(t *testing.T, a *events.Alert, d *events.Action) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if d != nil {
		acted := *d
		acted.Sequence = k.fold.Last() + 1
		k.fold.Act(acted)
		return
	}
	fired := *a
	fired.Sequence, fired.Stored = k.fold.Last()+1, fired.At()
	if _, changed, err := k.fold.Apply(fired); err != nil || !changed {
		t.Fatalf("an alert of the test does not count: %v", err)
	}
}

// firing is the alert that opens the incident; over is its end.
func firing() *events.Alert {
	return &events.Alert{
		Operation: "ventas", Rule: "Congestion", Severity: events.Critical, Status: events.Firing, StartsAt: begin,
		Window: &events.Window{Start: begin, End: begin.Add(5 * time.Minute)}, Incident: incidentID, Timezone: "America/Bogota",
		Cause: events.Cause{Sequence: 1},
	}
}

func over() *events.Alert {
	a := firing()
	ends := begin.Add(41 * time.Minute)
	a.Status, a.EndsAt, a.Reason, a.Cause = events.Resolved, &ends, events.ReasonCleared, events.Cause{Sequence: 2}
	a.Window = &events.Window{Start: ends, End: ends.Add(5 * time.Minute)}
	return a
}

// world is a Slack and a NATS server, and a People between them.
type world struct {
	t      *testing.T
	slack  *fakeslack.Server
	server *natsserver.Server
	js     jetstream.JetStream
	known  *known
	people *people.People
	logs   logbook
}

// start runs a People over a workspace that change may have changed.
func start(t *testing.T, change func(*fakeslack.Options, *people.Options)) *world {
	t.Helper()
	t.Parallel()
	w := &world{t: t, known: &known{fold: incident.NewFold()}}
	w.server = natstest.Server(t)
	_, w.js = natstest.Connect(t, w.server)
	natstest.CreateStreams(t, w.js)
	w.known.apply(t, firing(), nil)
	workspace := fakeslack.Options{
		Users: []fakeslack.User{
			{ID: ana, Name: "ana", RealName: "Ana Torres"}, {ID: luis, Name: "luis", RealName: "Luis Rojas"}, {ID: eva, Name: "eva"},
		},
		Channels: []fakeslack.Channel{{ID: "C0000001", Name: "noc", Members: []string{ana, luis}}, {ID: "C0000002", Name: "random"}},
		Groups:   []fakeslack.UserGroup{{ID: "S0000001", Handle: "oncall", Users: []string{luis}}},
		AckWait:  patience,
	}
	o := people.Options{
		Log: w.logs.logger(), JS: w.js, Incidents: w.known, Channels: []string{"#noc"},
		Wording: people.Wording{Names: map[string]string{"ventas": "Ventas Bogotá"}},
	}
	if change != nil {
		change(&workspace, &o)
	}
	var err error
	if w.slack, err = fakeslack.Start(workspace); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.slack.Close() })
	w.run(o)
	return w
}

func (w *world) run(o people.Options) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var err error
	if o.Silences, err = silence.Open(ctx, w.js, 1); err != nil {
		w.t.Fatal(err)
	}
	if o.View, err = o.Silences.View(ctx); err != nil {
		w.t.Fatal(err)
	}
	token := func() string { return fakeslack.DefaultToken }
	appToken := func() string { return fakeslack.DefaultAppToken }
	o.Slack = slack.NewClient(slack.Config{APIURL: w.slack.APIURL(), Token: token})
	if o.Socket == nil {
		o.Socket = slack.NewSocket(slack.SocketConfig{APIURL: w.slack.APIURL(), Token: appToken, Log: w.logs.logger()})
	}
	listening := people.New(o)
	w.people = listening
	var running sync.WaitGroup
	running.Go(func() { listening.Run(ctx) })
	running.Go(func() { o.View.Run(ctx) })
	w.t.Cleanup(func() { cancel(); running.Wait() })
}

// connected waits for the socket.
func (w *world) connected() {
	w.t.Helper()
	w.eventually("a connection", func() (bool, string) { return w.slack.Connections() == 1, w.logs.String() })
}

// post shows a message with buttons for an incident, and one with a link.
func (w *world) post(incident string) (ts string) {
	w.t.Helper()
	text := func(s string) *slackgo.TextBlockObject {
		return slackgo.NewTextBlockObject(slackgo.PlainTextType, s, false, false)
	}
	block := slackgo.NewActionBlock("unconnected/"+incident,
		slackgo.NewButtonBlockElement(slack.ActionAcknowledge, incident, text("Acknowledge")),
		slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeStatic, text("Silence"), slack.ActionSilence,
			slackgo.NewOptionBlockObject(slack.SilenceHour, text("1 h"), nil),
			slackgo.NewOptionBlockObject(slack.SilenceHours, text("4 h"), nil),
			slackgo.NewOptionBlockObject(slack.SilenceTomorrow, text("until tomorrow"), nil)),
		slackgo.NewButtonBlockElement(slack.ActionRunbook, "", text("What to do")).WithURL("https://wiki.example.com/"),
		slackgo.NewButtonBlockElement("some_other_action", "x", text("?")),
	)
	api := slackgo.New(fakeslack.DefaultToken, slackgo.OptionAPIURL(w.slack.APIURL()))
	_, ts, err := api.PostMessage("C0000001", slackgo.MsgOptionText("Firing", false), slackgo.MsgOptionBlocks(block))
	if err != nil {
		w.t.Fatal(err)
	}
	return ts
}

// click clicks, and waits for the acknowledgement.
func (w *world) click(user, ts, action string, option ...string) fakeslack.Envelope {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	sent, err := w.slack.Click(ctx, user, ts, action, option...)
	if err != nil {
		w.t.Fatalf("not acknowledged: %v\n%s", err, w.logs.String())
	}
	return sent
}

func (w *world) repeat(sent fakeslack.Envelope) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if _, err := w.slack.Repeat(ctx, sent); err != nil {
		w.t.Fatal(err)
	}
}

// told waits until somebody has been told n things, and returns the last.
func (w *world) told(user string, n int) string {
	w.t.Helper()
	w.eventually("an answer", func() (bool, string) {
		return len(w.slack.Ephemeral("noc", user)) >= n, w.logs.String()
	})
	all := w.slack.Ephemeral("noc", user)
	if len(all) != n {
		w.t.Fatalf("%s was told %d things, want %d: %+v", user, len(all), n, all)
	}
	return all[n-1].Text
}

// actions are the deeds that ALERTS holds.
func (w *world) actions() []events.Action {
	w.t.Helper()
	stream, err := w.js.Stream(w.t.Context(), events.StreamAlerts)
	if err != nil {
		w.t.Fatal(err)
	}
	var list []events.Action
	state := stream.CachedInfo().State
	for seq := state.FirstSeq; seq != 0 && seq <= state.LastSeq; seq++ {
		raw, err := stream.GetMsg(w.t.Context(), seq)
		if err != nil {
			w.t.Fatal(err)
		}
		a, err := events.DecodeRawAction(raw)
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, a)
	}
	return list
}

// recorded waits for the n-th deed.
func (w *world) recorded(n int) events.Action {
	w.t.Helper()
	w.eventually("a deed in ALERTS", func() (bool, string) { return len(w.actions()) >= n, w.logs.String() })
	all := w.actions()
	if len(all) != n {
		w.t.Fatalf("%d deeds, want %d: %+v", len(all), n, all)
	}
	return all[n-1]
}

func (w *world) eventually(what string, is func() (bool, string)) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, state := is()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s; it is %s", what, state)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// contains fails unless text has all the words.
func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

// logbook is a log that tests read while it is written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *logbook) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
