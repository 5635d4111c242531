package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"unconnected/alerter/incident"
)

// Answer is what one person is told, and nobody else, in lines. The texts are as they came from people and events: they
// are cleaned, escaped and cut when they are sent. The zero Answer says nothing.
type Answer struct {
	Lines []string
	More  string // what stands for lines that were cut: "+%d more"
}

// limitAnswer is far below what Slack takes, and as much as anybody reads.
const limitAnswer = 3000

// limitAnswerLine leaves room for others.
const limitAnswerLine = 600

func (a Answer) text() string {
	lines := make([]string, len(a.Lines))
	for i, line := range a.Lines {
		lines[i] = cutEscaped(line, limitAnswerLine)
	}
	return fit(lines, limitAnswer, a.More)
}

// reply is an answer as Slack takes it.
type reply struct {
	ResponseType string `json:"response_type"`
	Replace      bool   `json:"replace_original"`
	Text         string `json:"text"`
}

// payload is what goes back to Slack; nil when there is nothing to say.
func (a Answer) payload() *reply {
	text := a.text()
	if text == "" {
		return nil
	}
	return &reply{ResponseType: "ephemeral", Text: text}
}

// Respond tells the one person who clicked or gave a command. to is the address that came with it. The error is an [*Error]
// and does not contain the address.
func (s *Socket) Respond(ctx context.Context, to string, a Answer) error {
	payload := a.payload()
	if payload == nil || to == "" {
		return nil
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return &Error{Method: methodRespond, Class: incident.Payload, Code: "not_json", Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil { // its text has the address in it
		return &Error{Method: methodRespond, Class: incident.Permanent, Code: "bad_url"}
	}
	req.Header.Set("Content-Type", "application/json")
	client := checked{
		client: s.respond, accept: acceptRespond, name: methodRespond, hide: func() []string { return []string{to} },
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

const methodRespond = "response_url"

// acceptRespond judges a 200: its body is "ok", or an object that says so.
func acceptRespond(method string, body []byte) *Error {
	if strings.TrimSpace(string(body)) == "ok" {
		return nil
	}
	return acceptAPI(method, body)
}
