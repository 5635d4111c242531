package main

import (
	"crypto/rand"
	"net/http"

	"unconnected/alerter"
	"unconnected/alerter/slack/fakeslack"
	"unconnected/internal/daemon"
)

// previewPath is where up shows the messages in a browser when there is no Slack.
const previewPath = "/slack"

// previewKeep is how many messages and requests the preview keeps in memory.
const previewKeep = 400

// preview starts a stand-in for Slack when no real one is configured, and serves its page. It returns nil when it is not
// wanted; stop ends it.
func (s *site) preview(d *daemon.Daemon) (p *alerter.Preview, stop func(), err error) {
	if s.alerter.Token.IsSet() || s.alerter.WebhookURL.IsSet() || d.Addr() == "" {
		return nil, func() {}, nil
	}
	page := "http://" + daemon.Reachable(d.Addr()) + previewPath + "/"
	token, appToken := "xoxb-"+rand.Text(), "xapp-"+rand.Text()
	// What was shown before a restart is known to the streams, not to this server: it takes edits of what it never saw.
	server, err := fakeslack.Start(fakeslack.Options{
		Token: token, AppToken: appToken, Adopt: true, Keep: previewKeep, PageURL: page, Language: s.alerter.Alerts.Language,
		Channels: []fakeslack.Channel{{ID: "C0PREVIEW", Name: alerter.PreviewChannel}},
	})
	if err != nil {
		return nil, nil, err
	}
	d.Handle(previewPath+"/", http.StripPrefix(previewPath, server.Page()))
	return &alerter.Preview{
		APIURL: server.APIURL(), Token: token, AppToken: appToken, Page: page,
	}, func() { _ = server.Close() }, nil
}
