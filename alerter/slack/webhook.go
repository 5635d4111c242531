package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"unconnected/alerter/incident"
)

// Webhook is a [Sink] over an incoming webhook: it can post to the one channel that the webhook belongs to, and nothing
// else. It is safe for concurrent use.
type Webhook struct {
	url    func() string
	reload func() (bool, error)
	http   *checked
}

// NewWebhook returns a Webhook. url is asked for every post and is a secret; reload reads it again when it is refused,
// nil when it cannot change. A timeout of 0 is [DefaultTimeout].
func NewWebhook(url func() string, reload func() (changed bool, err error), timeout time.Duration) *Webhook {
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return &Webhook{url: url, reload: reload, http: &checked{
		client: newHTTPClient(timeout),
		accept: acceptWebhook,
		hide:   func() []string { return secretsOf(url()) },
		name:   "webhook",
	}}
}

// secretsOf are the URL and the part of it that is the key.
func secretsOf(url string) []string {
	_, key, _ := strings.Cut(url, "/services/")
	return []string{url, key}
}

// acceptWebhook judges a 200: its body is "ok".
func acceptWebhook(method string, body []byte) *Error {
	if strings.TrimSpace(string(body)) == "ok" {
		return nil
	}
	return &Error{Method: method, Class: incident.Ambiguous, Code: "unreadable_answer"}
}

// Caps says that a webhook can only post.
func (w *Webhook) Caps() incident.Caps { return incident.Caps{Groups: true} }

// Post posts a message; the channel and the thread do not matter.
func (w *Webhook) Post(ctx context.Context, p Post) (incident.Receipt, error) {
	no := false
	p.Message.Brief = false // there is no thread above the post that would say the rest
	m := slack.WebhookMessage{Text: p.Message.Notification(), Parse: "none", UnfurlLinks: &no, UnfurlMedia: &no}
	if p.Plain {
		m.Text = p.Message.PlainText()
	} else {
		m.Blocks = &slack.Blocks{BlockSet: p.Message.Blocks()}
	}
	url := w.url()
	err := w.once(ctx, url, &m)
	if w.reload == nil || !tokenRefused(err) {
		return incident.Receipt{}, err
	}
	if _, reloadErr := w.reload(); reloadErr == nil && w.url() != url {
		err = w.once(ctx, w.url(), &m)
	}
	return incident.Receipt{}, err
}

func (w *Webhook) once(ctx context.Context, url string, m *slack.WebhookMessage) error {
	body, err := json.Marshal(m)
	if err != nil {
		return &Error{Method: "webhook", Class: incident.Payload, Code: "not_json", Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil { // its text has the URL in it
		return &Error{Method: "webhook", Class: incident.Permanent, Code: "bad_url", Hint: "check SLACK_WEBHOOK_URL"}
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.http.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Update is never asked for.
func (w *Webhook) Update(context.Context, incident.Receipt, Message, bool) error {
	return errors.ErrUnsupported
}

// FindRoots is never asked for.
func (w *Webhook) FindRoots(context.Context, string, []string, time.Time) (map[string]incident.Receipt, error) {
	return nil, ErrNoHistory
}

// FindReply is never asked for.
func (w *Webhook) FindReply(context.Context, incident.Receipt, string, time.Time) (incident.Receipt, error) {
	return incident.Receipt{}, ErrNoHistory
}
