package main

import (
	"cmp"
	"crypto/rand"
	"net"
	"net/http"
	"os"

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
	page, beyond := pageAddress(d.Addr())
	if beyond {
		s.t.log.Warn("the Slack preview has no login and is served beyond this machine", "addr", d.Addr(),
			"next_step", "whoever reaches it may read the alerts and use their buttons: set HTTP_ADDR=127.0.0.1:8080, or connect Slack (SLACK_TOKEN)")
	}
	token, appToken := "xoxb-"+rand.Text(), "xapp-"+rand.Text()
	// What was shown before a restart is known to the streams, not to this server: it takes edits of what it never saw.
	server, err := fakeslack.Start(fakeslack.Options{
		Token: token, AppToken: appToken, WebhookKey: rand.Text(), Adopt: true, Keep: previewKeep, PageURL: page, Language: s.alerter.Alerts.Language,
		Channels: []fakeslack.Channel{{ID: "C0PREVIEW", Name: alerter.PreviewChannel}},
		Users:    []fakeslack.User{viewer()}, // nobody invented: what is clicked is recorded in ALERTS for good
	})
	if err != nil {
		return nil, nil, err
	}
	d.Handle(previewPath+"/", http.StripPrefix(previewPath, server.Page()))
	return &alerter.Preview{
		APIURL: server.APIURL(), Token: token, AppToken: appToken, Page: page,
	}, func() { _ = server.Close() }, nil
}

// viewer is whoever looks at the preview, as the system calls them.
func viewer() fakeslack.User {
	name := cmp.Or(os.Getenv("USER"), os.Getenv("LOGNAME"), "preview")
	return fakeslack.User{ID: "U0PREVIEW", Name: name, RealName: name}
}

// pageAddress is where people on this machine find the page of a server that listens at addr, and whether others reach it, too.
func pageAddress(addr string) (page string, beyond bool) {
	host, _, err := net.SplitHostPort(addr)
	return "http://" + daemon.Reachable(addr) + previewPath + "/", err != nil || !isLoopback(host)
}
