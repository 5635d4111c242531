package people_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"unconnected/alerter/people"
	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/events"
)

// TestAcknowledge: a click is acknowledged in time and recorded once, under the name that people know, also when Slack sends
// it again; the next one hears who was faster.
func TestAcknowledge(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	sent := w.click(ana, ts, slack.ActionAcknowledge)
	done := w.recorded(1)
	if done.Action != events.Acknowledged || done.Incident != incidentID || done.Operation != "ventas" ||
		done.By != "Ana Torres" || done.User != ana || !strings.HasPrefix(done.Key, ana+"/") {
		t.Errorf("recorded %+v", done)
	}
	w.known.apply(t, nil, &done)
	w.repeat(sent)
	w.click(luis, ts, slack.ActionAcknowledge)
	contains(t, w.told(luis, 1), "Ana Torres is already on it, since ")
	w.click(ana, ts, slack.ActionAcknowledge)
	contains(t, w.told(ana, 1), "You are already on it")
	w.recorded(1)
}

// TestAcknowledgedWhenStored: Slack gets its acknowledgement when what somebody did is stored, so that a crash in between loses
// nothing: whoever clicked sees a warning, or the click comes again.
func TestAcknowledgedWhenStored(t *testing.T) {
	w := start(t, nil)
	w.connected()
	w.slack.Fail("conversations.members", fakeslack.Slow(300*time.Millisecond))
	for n := range 10 {
		sent := w.click(ana, w.post(incidentID), slack.ActionAcknowledge)
		if done := w.actions(); len(done) == n+1 {
			return
		} else if sent.Took < time.Second { // otherwise the machine stood still, and the acknowledgement could not wait
			t.Fatalf("it is acknowledged after %v, and stored is %+v", sent.Took, done)
		}
		w.recorded(n + 1)
	}
	t.Error("it was never stored before it was acknowledged")
}

// TestSlowClick: when it takes too long to know who clicks, the acknowledgement goes first. A busy machine may delay it by a moment.
func TestSlowClick(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	const slow = 5 * time.Second
	w.slack.Fail("conversations.members", fakeslack.Slow(slow))
	sent := w.click(ana, ts, slack.ActionAcknowledge)
	if sent.Took >= slow {
		t.Errorf("acknowledged after %v", sent.Took)
	}
	w.repeat(sent)
	w.recorded(1)
}

// TestRepeatedElsewhere: a click that another process has dealt with, which only ALERTS tells, has no second effect and says
// nothing.
func TestRepeatedElsewhere(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	sent := w.click(ana, ts, slack.ActionAcknowledge)
	done := w.recorded(1)
	silent := w.click(ana, ts, slack.ActionSilence, slack.SilenceHour)
	hushed := w.recorded(2)

	w.restart()
	w.known.apply(t, nil, &done)
	w.known.apply(t, nil, &hushed)
	for range 2 { // the connections take turns: each gets both
		w.repeat(sent)
		w.repeat(silent)
		w.click(luis, ts, slack.ActionRunbook)
	}
	w.click(luis, ts, slack.ActionAcknowledge) // behind them
	w.told(luis, 1)
	w.recorded(2)
	if told := w.slack.Ephemeral("noc", ana); len(told) != 0 {
		t.Errorf("Ana was told %+v", told)
	}
}

// restart puts another process beside the first, which knows nothing of what that did.
func (w *world) restart() {
	w.t.Helper()
	w.run(people.Options{Log: w.logs.logger(), JS: w.js, Incidents: w.known, Channels: []string{"#noc"}})
	w.eventually("both connections", func() (bool, string) { return w.slack.Connections() == 2, w.logs.String() })
}

// TestSilence: a choice of the menu silences what fires, once.
func TestSilence(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	sent := w.click(ana, ts, slack.ActionSilence, slack.SilenceHour)
	done := w.recorded(1)
	if done.Action != events.Silenced || done.Incident != incidentID || strings.Join(done.Rules, " ") != "Congestion" ||
		done.Until == nil || done.Until.Sub(done.At) > time.Hour || done.Until.Sub(done.At) < 59*time.Minute || // from the click on
		done.By != "Ana Torres" {
		t.Errorf("recorded %+v", done)
	}
	w.repeat(sent)
	w.eventually("the silence", func() (bool, string) { return len(w.people.View.All()) == 1, "" })
	held := w.people.View.All()[0]
	if held.ID != done.Key || held.Operation != "ventas" || !held.Until.Equal(*done.Until) || held.By != "Ana Torres" {
		t.Errorf("in force is %+v, recorded %+v", held, done)
	}
	w.click(luis, ts, slack.ActionSilence, slack.SilenceHours) // ends later
	if longer := w.recorded(2); longer.By != "Luis Rojas" {
		t.Errorf("recorded %+v", longer)
	}
}

// TestSilenceOfOneChannel: whoever is in one channel does not silence what another one is told of the same incident.
func TestSilenceOfOneChannel(t *testing.T) {
	w := start(t, func(_ *fakeslack.Options, o *people.Options) { o.Channels = []string{"#noc", "#random"} })
	w.connected()
	busy := firing()
	busy.Rule, busy.Cause = "Busy", events.Cause{Sequence: 2}
	w.known.apply(t, busy, nil)
	ts := w.post(incidentID)
	w.slack.Fail("conversations.list", fakeslack.Status(503))
	w.click(ana, ts, slack.ActionSilence, slack.SilenceHour)
	contains(t, w.told(ana, 1), "http_503", "nothing was done")
	w.click(ana, ts, slack.ActionSilence, slack.SilenceHour)
	if done := w.recorded(1); strings.Join(done.Rules, " ") != "Congestion" {
		t.Errorf("recorded %+v", done)
	}
}

// TestOtherButtons: links and buttons of other versions are acknowledged, and nothing follows.
func TestOtherButtons(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	w.click(ana, ts, slack.ActionRunbook)
	w.click(ana, ts, "some_other_action")
	w.click(ana, ts, slack.ActionAcknowledge)
	w.recorded(1)
	if told := w.slack.Ephemeral("noc", ana); len(told) != 0 {
		t.Errorf("Ana was told %+v", told)
	}
}

func TestOldMessages(t *testing.T) {
	w := start(t, nil)
	w.connected()
	w.known.apply(t, over(), nil)
	w.click(ana, w.post(incidentID), slack.ActionAcknowledge)
	contains(t, w.told(ana, 1), "been over since 22 Nov 10:41") // on the operation's clocks
	w.click(ana, w.post(incidentID), slack.ActionSilence, slack.SilenceTomorrow)
	contains(t, w.told(ana, 2), "been over since")
	w.click(ana, w.post("ventas/2020-01-01T00:00:00Z"), slack.ActionAcknowledge)
	contains(t, w.told(ana, 3), "nothing is known of it any more")
	if got := w.actions(); len(got) != 0 {
		t.Errorf("recorded %+v", got)
	}
}

// TestStrangers: who is not in the channel is refused, and told why; with SLACK_OPERATORS only its members may.
func TestStrangers(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	w.click(eva, ts, slack.ActionAcknowledge)
	contains(t, w.told(eva, 1), "Only members of this channel")
	if got := w.actions(); len(got) != 0 {
		t.Errorf("recorded %+v", got)
	}
}

func TestOperators(t *testing.T) {
	w := start(t, func(_ *fakeslack.Options, o *people.Options) { o.Operators = "S0000001" })
	w.connected()
	ts := w.post(incidentID)
	w.click(ana, ts, slack.ActionAcknowledge)
	contains(t, w.told(ana, 1), "SLACK_OPERATORS")
	w.click(luis, ts, slack.ActionAcknowledge)
	if done := w.recorded(1); done.By != "Luis Rojas" {
		t.Errorf("recorded %+v", done)
	}
}

// TestMissingScopes: nobody may do anything while Slack may not be asked who is a member, and the report says what to do;
// without users:read people are shown by their handle.
func TestMissingScopes(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	w.slack.SetScopes("chat:write", "commands")
	w.click(ana, ts, slack.ActionAcknowledge)
	contains(t, w.told(ana, 1), "deploy/slack/manifest.yaml")
	if ok, reason := w.people.Report(); ok || !strings.Contains(reason, "add the scope") {
		t.Errorf("the report says %t, %s", ok, reason)
	}
	w.slack.SetScopes("chat:write", "commands", "channels:read")
	w.click(ana, ts, slack.ActionAcknowledge)
	if done := w.recorded(1); done.By != "ana" {
		t.Errorf("recorded %+v", done)
	}
	if ok, reason := w.people.Report(); !ok {
		t.Errorf("the report still says %s", reason)
	}
}

// TestSlackDoesNotSay: a refusal that is nobody's fault says so, and who was a member a while ago may go on.
func TestSlackDoesNotSay(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	w.slack.Fail("conversations.members", fakeslack.Status(503))
	w.click(ana, ts, slack.ActionAcknowledge)
	contains(t, w.told(ana, 1), "http_503", "try again in a minute")
	w.click(ana, ts, slack.ActionAcknowledge)
	w.recorded(1)
}

// TestReconnect: a connection that is cut, or that Slack wants to have renewed, is made again, and clicks arrive.
func TestReconnect(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	w.slack.DropSockets()
	w.eventually("another connection", func() (bool, string) {
		return w.slack.Connections() == 1 && len(w.slack.Requests("apps.connections.open")) >= 2, w.logs.String()
	})
	before := len(w.slack.Requests("apps.connections.open"))
	w.slack.DisconnectSockets("refresh_requested")
	w.eventually("a third connection", func() (bool, string) {
		return len(w.slack.Requests("apps.connections.open")) > before, w.logs.String()
	})
	w.eventually("the click", func() (bool, string) {
		_, err := w.slack.Click(t.Context(), ana, ts, slack.ActionAcknowledge)
		return err == nil || !errors.Is(err, fakeslack.ErrNoSocket), "nobody there"
	})
	w.recorded(1)
	if ok, reason := w.people.Report(); !ok {
		t.Errorf("the report says %s", reason)
	}
}

// TestRefusedToken: a token that Slack does not take is asked with slowly, and the report says what to do; the file is read
// again, and when there is another token in it, it works.
func TestRefusedToken(t *testing.T) {
	for code, hint := range map[string]string{
		"invalid_auth":           "SLACK_APP_TOKEN is not valid",
		"missing_scope":          "lacks the scope connections:write",
		"not_allowed_token_type": "must be an app-level token",
		"socket_mode_disabled":   "turn Socket Mode on",
	} {
		t.Run(code, func(t *testing.T) {
			w := start(t, func(*fakeslack.Options, *people.Options) {})
			w.connected()
			w.slack.RefuseSockets(code)
			w.slack.DropSockets()
			w.eventually("a report", func() (bool, string) {
				ok, reason := w.people.Report()
				return !ok && strings.Contains(reason, hint), reason
			})
			asked := len(w.slack.Requests("apps.connections.open"))
			<-time.After(200 * time.Millisecond)
			if now := len(w.slack.Requests("apps.connections.open")); now != asked || asked > 3 {
				t.Errorf("it asked %d times, and then %d", asked, now)
			}
			if strings.Contains(w.logs.String(), fakeslack.DefaultAppToken) {
				t.Error("the token is in the log")
			}
		})
	}
}

// TestRotatedToken: when Slack refuses the token it is read again, and another one is used at once.
func TestRotatedToken(t *testing.T) {
	var token atomic.Value
	token.Store("xapp-old")
	w := start(t, func(workspace *fakeslack.Options, o *people.Options) { workspace.AppToken = "xapp-new" })
	w.run(people.Options{
		Log: w.logs.logger(), JS: w.js, Incidents: w.known,
		Socket: slack.NewSocket(slack.SocketConfig{
			APIURL: w.slack.APIURL(), Log: w.logs.logger(), Token: func() string { return token.Load().(string) },
			Reload: func() (bool, error) { return token.Swap("xapp-new") != "xapp-new", nil },
		}),
	})
	w.connected()
}

// TestReplacedToken: a token of the wrong kind, or without the scope, is read again, too.
func TestReplacedToken(t *testing.T) {
	for _, code := range []string{"missing_scope", "not_allowed_token_type"} {
		t.Run(code, func(t *testing.T) {
			w := start(t, nil)
			w.connected()
			w.slack.RefuseSockets(code)
			var reloads atomic.Int32
			w.run(people.Options{
				Log: w.logs.logger(), JS: w.js, Incidents: w.known,
				Socket: slack.NewSocket(slack.SocketConfig{
					APIURL: w.slack.APIURL(), Log: w.logs.logger(), Token: func() string { return fakeslack.DefaultAppToken },
					Reload: func() (bool, error) {
						if reloads.Add(1) == 1 {
							w.slack.RefuseSockets("")
							return true, nil
						}
						return false, nil
					},
				}),
			})
			w.eventually("another connection", func() (bool, string) { return w.slack.Connections() == 2, w.logs.String() })
		})
	}
}

// TestTooManyConnections: whoever Slack turns away says so, and tries again slowly.
func TestTooManyConnections(t *testing.T) {
	w := start(t, nil)
	w.connected()
	socket := func() *slack.Socket {
		return slack.NewSocket(slack.SocketConfig{APIURL: w.slack.APIURL(), Log: w.logs.logger(), Token: func() string { return fakeslack.DefaultAppToken }})
	}
	for range 10 {
		w.run(people.Options{Log: w.logs.logger(), JS: w.js, Incidents: w.known, Socket: socket()})
	}
	w.eventually("a word", func() (bool, string) {
		return w.slack.Connections() == 10 && strings.Contains(w.logs.String(), "more than ten processes"), w.logs.String()
	})
	if asked := len(w.slack.Requests("apps.connections.open")); asked > 15 {
		t.Errorf("it asked %d times", asked)
	}
}

// TestNATSAway: who clicks while nothing can be stored is told to try again, and that works.
func TestNATSAway(t *testing.T) {
	w := start(t, nil)
	w.connected()
	ts := w.post(incidentID)
	if err := w.js.DeleteStream(t.Context(), events.StreamAlerts); err != nil {
		t.Fatal(err)
	}
	w.click(ana, ts, slack.ActionAcknowledge)
	contains(t, w.told(ana, 1), "could not be stored", "/readyz")
	w.click(luis, ts, slack.ActionSilence, slack.SilenceHour)
	contains(t, w.told(luis, 1), "It is silent, but that could not be recorded")
}

// TestCommand: the status goes with the acknowledgement, to those who may see it.
func TestCommand(t *testing.T) {
	w := start(t, func(_ *fakeslack.Options, o *people.Options) {
		o.Health = func() (unwell, notes []string) { return []string{"channel #noc waits"}, []string{"standing by"} }
	})
	w.connected()
	slash := func(user, channel, text string) string {
		t.Helper()
		sent, err := w.slack.Slash(t.Context(), user, channel, "/unconnected", text)
		if err != nil || sent.Took > fakeslack.AckLimit {
			t.Fatalf("answered after %v: %v", sent.Took, err)
		}
		return string(sent.Response)
	}
	contains(t, slash(ana, "noc", "status"), "One incident is open", "Congestion, Ventas Bogotá: since 22 Nov 10:00 UTC−5", "nobody is on it yet",
		"cob: 90 min ago", "Ventas Bogotá: 3 min ago", "*Not well*", "channel #noc waits", "*Good to know*", "standing by", "ephemeral")
	contains(t, slash(luis, "random", "status VENTAS bogotá"), "One incident is open", "3 min ago") // a member, elsewhere
	contains(t, slash(ana, "noc", "status cob"), "No incident is open", "90 min ago")
	contains(t, slash(ana, "noc", "status <!here>"), "There is no operation", "cob, ventas")
	contains(t, slash(eva, "random", "status"), "Only members of the channels")
	for _, text := range []string{"", "help", "nonsense", strings.Repeat("x ", 2000)} {
		contains(t, slash(eva, "random", text), "/unconnected status OPERATION")
	}
	if told := w.slack.Ephemeral("noc", ana); len(told) != 3 || strings.Contains(told[2].Text, "<!here>") {
		t.Errorf("Ana was told %+v", told)
	}
}

// TestCommandWithoutChannel: where the channel of the settings cannot be seen nobody is in it, and trying again does not help.
func TestCommandWithoutChannel(t *testing.T) {
	w := start(t, func(_ *fakeslack.Options, o *people.Options) { o.Channels = []string{"#nowhere"} })
	w.connected()
	sent, err := w.slack.Slash(t.Context(), ana, "noc", "/unconnected", "status")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(sent.Response), "Only members of the channels")
	asked := len(w.slack.Requests("conversations.list"))
	if _, err := w.slack.Slash(t.Context(), ana, "noc", "/unconnected", "status"); err != nil {
		t.Fatal(err)
	}
	if again := len(w.slack.Requests("conversations.list")); again != asked {
		t.Errorf("it looked %d times, and again at once", asked)
	}
}

// TestSlowCommand: when it takes too long to know who asks, the acknowledgement goes first and the answer follows.
func TestSlowCommand(t *testing.T) {
	w := start(t, nil)
	w.connected()
	w.slack.Fail("conversations.members", fakeslack.Slow(3*time.Second))
	sent, err := w.slack.Slash(t.Context(), ana, "noc", "/unconnected", "status")
	if err != nil || sent.Took > fakeslack.AckLimit || len(sent.Response) > 0 {
		t.Fatalf("acknowledged after %v with %s: %v", sent.Took, sent.Response, err)
	}
	contains(t, w.told(ana, 1), "One incident is open")
}
