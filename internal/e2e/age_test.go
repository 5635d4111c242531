package e2e

import (
	"testing"

	"unconnected/alerter/slack/fakeslack"
)

// TestOldIncidentOnFirstStart: what was over before the alerter ever ran, and is older than ALERT_MAX_AGE, makes neither
// alert events nor messages.
func TestOldIncidentOnFirstStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-60*second, -50*second))
	w.start("producer", map[string]string{"POLL_START": "-2m"})
	w.awaitLive()
	alerter := w.start("alerter", map[string]string{"ALERT_MAX_AGE": "20s"})
	w.awaitQuiet(alerter)
	if names, _, err := w.alerts(); err != nil || len(names) > 0 {
		t.Errorf("there are alert events: %q, %v", names, err)
	}
	if requests := w.slack.Requests("chat.postMessage"); len(requests) > 0 {
		t.Errorf("Slack was told %d times", len(requests))
	}
}

// TestStillFiringOnFirstStart: an incident that began long ago and still goes on when the alerter starts for the first time
// is told at once, with its true start.
func TestStillFiringOnFirstStart(t *testing.T) {
	t.Parallel()
	incident := congestion(-60*second, 3600*second) // however long the alerter takes to start
	w := newWorld(t, incident)
	w.start("producer", map[string]string{"POLL_START": "-2m"})
	w.awaitLive()
	w.start("alerter", map[string]string{"ALERT_MAX_AGE": "20s"})
	eventually(t, func() error {
		names, alerts, err := w.alerts()
		if err != nil || len(names) < 2 {
			return errNotYet
		}
		for _, alert := range alerts {
			if !alert.StartsAt.Equal(incident.Start) {
				t.Fatalf("%s began at %v, the incident at %v", alert.Rule, alert.StartsAt, incident.Start)
			}
		}
		return nil
	})
	eventually(t, func() error {
		if roots := w.slack.Roots("#noc"); len(roots) != 1 {
			return errNotYet
		}
		return nil
	})
}

// TestIncidentWhileAway: an incident that came and went while the alerter was away, longer ago than ALERT_MAX_AGE, is in the
// alert events, so that the record is whole, but is not posted.
func TestIncidentWhileAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := map[string]string{"ALERT_MAX_AGE": "2s"}
	w.start("producer", nil)
	w.awaitLive()
	alerter := w.start("alerter", env)
	alerter.awaitReady()
	alerter.kill()
	incident := congestion(2*second, 8*second)
	w.api.Plant(incident)
	w.awaitCheckpoint("default", incident.End.Add(6*second))
	alerter = w.start("alerter", env)
	w.awaitStory()
	w.awaitQuiet(alerter)
	if requests := w.slack.Requests("chat.postMessage"); len(requests) > 0 {
		t.Errorf("Slack was told %d times", len(requests))
	}
}

// TestTwoAlerters: two alerters at once give the events and the messages of one, also when one of them dies.
func TestTwoAlerters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-3*second, 5*second))
	w.start("producer", nil)
	one, other := w.start("alerter", nil), w.start("alerter", nil)
	eventually(t, func() error {
		if len(w.slack.Roots("#noc")) == 0 {
			return errNotYet
		}
		return nil
	})
	one.kill()
	w.awaitStory()
	w.awaitToldInSlack()
	w.awaitQuiet(other)
	w.requireStory()
	requirePostedOnce(t, w)
}

// TestWebhookFails: a webhook that fails in every way gets its posts in the end, and its URL shows nowhere.
func TestWebhookFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, -10*second))
	w.slack.Fail("webhook", fakeslack.TooMany(1), fakeslack.Refuse("no_text"), fakeslack.Status(404), fakeslack.DropBefore())
	w.start("producer", nil)
	alerter := w.start("alerter", map[string]string{"SLACK_TOKEN": "", "SLACK_CHANNEL": "", "SLACK_WEBHOOK_URL": w.slack.WebhookURL()})
	eventually(t, func() error {
		if len(w.slack.Requests("webhook")) < 2 {
			return errNotYet
		}
		return nil
	})
	w.awaitStory()
	w.awaitQuiet(alerter)
	alerter.stop()
}

// TestMetrics: both programs count what they do, under the names of the contract.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, congestion(-20*second, -10*second))
	producer, alerter := w.start("producer", nil), w.start("alerter", nil)
	w.awaitToldInSlack()
	w.awaitLive()
	for p, names := range map[*process][]string{
		producer: {
			`unconnected_windows_published_total{operation="default"}`, `unconnected_checkpoint_timestamp_seconds{operation="default"}`,
			`unconnected_requests_total{operation="default",outcome="`, `unconnected_request_duration_seconds_count{operation="default"}`,
			`unconnected_missed_windows_total{operation="default"} 0`, `unconnected_calls_total{operation="default",result="congestion"}`,
		},
		alerter: {
			`unconnected_evaluated_timestamp_seconds{operation="default"}`, `unconnected_alerts_firing{operation="default",severity="critical"} 0`,
			`unconnected_notifications_total{outcome="`, `unconnected_notification_delay_seconds_count`,
		},
	} {
		_, body := p.get("/metrics")
		if err := contains(body, names...); err != nil {
			t.Errorf("%s: %.200s", p.name, err)
		}
	}
}
