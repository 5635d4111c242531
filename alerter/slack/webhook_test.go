package slack_test

import (
	"testing"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/alerter/slack/fakeslack"
)

func TestWebhook(t *testing.T) {
	server := start(t, fakeslack.Options{})
	hook := slack.NewWebhook(server.WebhookURL, nil, patient)
	brief := hello
	brief.Brief = true
	for _, p := range []slack.Post{{Message: hello}, {Message: brief, Broadcast: true}, {Message: hello, Plain: true}} {
		if _, err := hook.Post(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	shown := server.Messages("noc")
	if len(shown) != 3 || shown[0].Blocks == nil || string(shown[0].Blocks) != string(shown[1].Blocks) || shown[2].Blocks != nil {
		t.Errorf("the channel shows %+v: without a thread to look into, every post says everything", shown)
	}
	cases := []struct {
		name  string
		fault fakeslack.Fault
		class incident.Class
		code  string
	}{
		{"removed", fakeslack.Fault{Status: 404, Body: "no_service"}, incident.Permanent, "no_service"},
		{"archived", fakeslack.Fault{Status: 410, Body: "channel_is_archived"}, incident.Permanent, "channel_is_archived"},
		{"too long", fakeslack.Fault{Status: 400, Body: "invalid_payload"}, incident.Payload, "invalid_payload"},
		{"a proxy's page", fakeslack.Fault{Status: 403, Body: "<html>"}, incident.Permanent, "http_403"},
		{"too many", fakeslack.TooMany(3), incident.Undelivered, "ratelimited"},
		{"something else with 200", fakeslack.Garbage("<html>"), incident.Ambiguous, "unreadable_answer"},
		{"answer lost", fakeslack.DropAfter(), incident.Ambiguous, "connection"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server.Fail("webhook", c.fault)
			_, err := hook.Post(t.Context(), slack.Post{Message: hello})
			if f := slack.FailureOf(err); f.Class != c.class || f.Code != c.code {
				t.Errorf("%v is %v %q", err, f.Class, f.Code)
			}
		})
	}
}
