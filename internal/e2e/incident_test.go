package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/producer/wolkvox/simulator"
)

// TestIncidentInSlack is the job: an incident comes and goes, every window is stored once and true, each rule gives exactly
// two alert events with the true times, and the channel gets one message, kept up to date, with one line for each later
// transition.
func TestIncidentInSlack(t *testing.T) {
	t.Parallel()
	incident := congestion(-20*second, -10*second)
	began := time.Now()
	w := newWorld(t, incident)
	producer, alerter := w.start("producer", nil), w.start("alerter", nil)
	alerts := w.awaitStory()
	w.awaitToldInSlack()
	w.awaitLive()
	producer.awaitReady()
	alerter.awaitReady()

	log := w.log()
	w.requireTrueLog(log)
	if start := began.Add(-30 * second); log[0].Window.Start.Before(start.Add(-second)) || log[0].Window.Start.After(start.Add(patience)) {
		t.Errorf("history begins at %v, want %v", log[0].Window.Start, start)
	}
	opened, closed := alerts[0], alerts[3]
	if !opened.StartsAt.Equal(incident.Start) || closed.EndsAt == nil || !closed.EndsAt.Equal(incident.End) {
		t.Errorf("the alert is from %v to %v, the incident from %v to %v", opened.StartsAt, closed.EndsAt, incident.Start, incident.End)
	}
	for _, alert := range alerts {
		if want := "default/" + incident.Start.Format(time.RFC3339); alert.Incident != want {
			t.Errorf("%s belongs to the incident %s, want %s", alert.ID(), alert.Incident, want)
		}
	}
	if roots, lines := posts(w.slack); roots != 1 || lines != 3 {
		t.Errorf("%d posts without and %d with thread_ts, want 1 and 3", roots, lines)
	}
	w.verified()
	w.requireStory()
	requireOneAtATime(w, w.api)
	producer.stop()
	alerter.stop()
}

// TestIncidentEditedInPlace: while an incident goes on its one message changes by chat.update, and says in the end that it
// is over.
func TestIncidentEditedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, 12*second))
	w.start("producer", nil)
	w.start("alerter", nil)
	var firing fakeslack.Message
	eventually(t, func() error {
		roots := w.slack.Roots("#noc")
		if len(roots) != 1 {
			return errNotYet
		}
		firing = roots[0]
		return contains(firing.Text, "iring")
	})
	w.awaitToldInSlack()
	root := w.slack.Roots("#noc")[0]
	updates := w.slack.Requests("chat.update")
	if root.TS != firing.TS || root.Edits == 0 || len(updates) == 0 || root.Text == firing.Text {
		t.Errorf("the message %s %q became %s %q by %d updates", firing.TS, firing.Text, root.TS, root.Text, len(updates))
	}
	for _, update := range updates {
		if update.Args["ts"] != root.TS {
			t.Errorf("an update of %s, the message is %s", update.Args["ts"], root.TS)
		}
	}
	w.requireStory()
}

// TestIncidentByWebhook: a webhook can only post, so there is one post at the beginning and one at the end.
func TestIncidentByWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, 4*second))
	w.start("producer", nil)
	alerter := w.start("alerter", map[string]string{
		"SLACK_TOKEN": "", "SLACK_CHANNEL": "", "SLACK_WEBHOOK_URL": w.slack.WebhookURL(),
	})
	w.awaitStory()
	eventually(t, func() error {
		if messages := w.slack.Messages("#noc"); len(messages) < 2 {
			return errNotYet
		}
		return nil
	})
	w.awaitQuiet(alerter)
	messages := w.slack.Messages("#noc")
	if len(messages) != 2 || !messages[0].Webhook || contains(messages[0].Text, "iring") != nil || contains(messages[1].Text, "esolved") != nil {
		t.Errorf("the webhook posted %+v", messages)
	}
	r, err := alerter.readyz()
	if err != nil || contains(strings.Join(r.Notes, "\n"), "webhook") != nil {
		t.Errorf("readyz does not say what a webhook lacks: %+v %v", r, err)
	}
}

// TestIncidentOnTerminal: without Slack there is a card on standard output at the beginning, when it gets worse and at the
// end, and a word about it in the log and in /readyz.
func TestIncidentOnTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, 4*second))
	w.start("producer", nil)
	alerter := w.start("alerter", map[string]string{"SLACK_TOKEN": "", "SLACK_CHANNEL": "", "ALERT_LANGUAGE": "es"})
	w.awaitStory()
	alerter.awaitOutput("╭", "Congestión", "Resuelta")
	w.awaitQuiet(alerter)
	if cards := strings.Count(alerter.stdout.String(), "╭"); cards != 3 {
		t.Errorf("there are %d cards, want 3:\n%s", cards, alerter.stdout.String())
	}
	if contains(alerter.stderr.String(), "neither SLACK_TOKEN nor SLACK_WEBHOOK_URL is set") != nil {
		t.Error("the log does not say that Slack is missing")
	}
}

// TestBuiltinRulesOnSeveralOperations: one producer polls three operations, one alerter with the built-in rules judges
// them, and only the one that has congestion gets an incident. Two minutes of history are what is usual.
func TestBuiltinRulesOnSeveralOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-40*second, -25*second))
	_, quietURL := serveAPI(t, simulator.Options{Seed: 7})
	_, mexicoURL := serveAPI(t, simulator.Options{Seed: 8, Location: location(t, "America/Mexico_City")})
	token := filepath.Join(t.TempDir(), "token")
	writeFile(t, token, wolkvoxToken+"\n")
	w.start("producer", map[string]string{
		"WOLKVOX_OPERATIONS": "default,cob-1,ventas", "WOLKVOX_TOKEN": "", "POLL_START": "-2m",
		"WOLKVOX_DEFAULT_TOKEN": wolkvoxToken,
		"WOLKVOX_COB_1_TOKEN":   wolkvoxToken, "WOLKVOX_COB_1_BASE_URL": mexicoURL, "WOLKVOX_COB_1_TIMEZONE": "America/Mexico_City",
		"WOLKVOX_VENTAS_TOKEN_FILE": token, "WOLKVOX_VENTAS_BASE_URL": quietURL,
	})
	w.start("alerter", map[string]string{"ALERT_RULES": "", "ALERT_OPERATION_NAMES": "default:Ventas Bogotá"})
	eventually(t, func() error {
		names, _, err := w.alerts()
		if err == nil && (len(names) < 4 || len(names)%2 != 0) {
			err = errNotYet
		}
		return err
	})
	for _, operation := range []string{events.DefaultOperation, "cob-1", "ventas"} {
		w.awaitCheckpoint(operation, time.Now().Add(-second))
	}
	_, alerts, _ := w.alerts()
	for i := range alerts {
		if alerts[i].Operation != events.DefaultOperation {
			t.Errorf("an alert of %s: %s", alerts[i].Operation, alerts[i].Summary)
		}
	}
	w.requireTrueLog(w.log())
	w.verified()
	eventually(t, func() error {
		roots := w.slack.Roots("#noc")
		if len(roots) != 1 {
			return errNotYet
		}
		return contains(roots[0].Text, "Ventas Bogotá", "esolved")
	})
}
