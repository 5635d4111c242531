package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
	"unconnected/internal/natsroles"
	"unconnected/producer/wolkvox/simulator"
)

// TestPeopleWithLeastRights: buttons and the slash command work with the alerter's rights, silences and drills with the
// admin's, and the reader sees what is silent. Pictures, the digest's look at the history and purged records are the alerter's
// own.
func TestPeopleWithLeastRights(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, simulator.Options{Incidents: []simulator.Incident{congestion(-20*second, 3600*second)}})
	g.toolAs(natsroles.Admin, "streams", "apply")
	g.startAs(natsroles.Producer, "producer")
	g.env["SLACK_APP_TOKEN"], g.env["ALERT_DIGEST"] = fakeslack.DefaultAppToken, "00:00"
	g.secrets = append(g.secrets, fakeslack.DefaultAppToken)
	alerter := g.startAs(natsroles.Alerter, "alerter")
	alerter.awaitReady()
	root := g.awaitRoot("iring")
	g.click(root, slack.ActionAcknowledge)
	g.awaitAction(events.Acknowledged)
	g.click(root, slack.ActionSilence, slack.SilenceHours)
	g.awaitAction(events.Silenced)
	if sent, err := g.slack.Slash(t.Context(), "ana", "noc", "/unconnected", "status"); err != nil || !strings.Contains(string(sent.Response), "default") {
		t.Errorf("the slash command is answered %s: %v", sent.Response, err)
	}

	text := g.toolAs(natsroles.Admin, "silence", "add", "--operation", "default", "--for", "1h", "--reason", "planned", "--by", "Ana")
	id, _, _ := strings.Cut(text, " ")
	for _, role := range []string{natsroles.Reader, natsroles.Admin, natsroles.Alerter} {
		if text := g.toolAs(role, "silence", "list"); !strings.Contains(text, "planned") {
			t.Errorf("%s sees %s", role, text)
		}
	}
	g.refused(t, natsroles.Reader, "silence expire "+id+" --by Ana", "$KV.unconnected_silences."+id)
	g.toolAs(natsroles.Admin, "silence", "expire", id, "--by", "Ana")
	g.toolAs(natsroles.Admin, "drill", "--hold", "1s")
	g.toolAs(natsroles.Admin, "doctor", "--data", t.TempDir())
	g.refused(t, natsroles.Reader, "drill", "$JS.API.STREAM.INFO.KV_unconnected_notices")
	alerter.stop()
}

// awaitRoot awaits that the channel has a message with a text.
func (w *world) awaitRoot(text string) (root fakeslack.Message) {
	w.t.Helper()
	eventually(w.t, func() error {
		roots := w.slack.Roots("#noc")
		if len(roots) == 0 || !strings.Contains(roots[0].Text, text) {
			return fmt.Errorf("the channel shows %+v", roots)
		}
		root = roots[0]
		return nil
	})
	return root
}

// click is made as soon as somebody hears it.
func (w *world) click(root fakeslack.Message, action string, option ...string) {
	w.t.Helper()
	eventually(w.t, func() error {
		_, err := w.slack.Click(w.t.Context(), "ana", root.TS, action, option...)
		return err
	})
}

// awaitAction awaits that ALERTS has something that people did.
func (w *world) awaitAction(action string) {
	w.t.Helper()
	eventually(w.t, func() error {
		ctx, cancel := context.WithTimeout(w.t.Context(), patience)
		defer cancel()
		stream, err := w.js.Stream(ctx, events.StreamAlerts)
		if err != nil {
			return err
		}
		raw, err := stream.GetLastMsgForSubject(ctx, events.ActionSubject("default"))
		if err != nil {
			return err
		}
		if done, err := events.DecodeRawAction(raw); err != nil || done.Action != action {
			return errors.Join(fmt.Errorf("the last action is %q", done.Action), err)
		}
		return nil
	})
}
