package slack

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/slack-go/slack"

	"unconnected/alerter/incident"
)

// Picture is a PNG to be shown in a thread.
type Picture struct {
	Name, Title string // of the file
	Alt         string // what it shows, for those who can't see it
	PNG         []byte
}

// Uploader is a [Sink] that can show pictures.
type Uploader interface {
	Upload(ctx context.Context, root incident.Receipt, p Picture) error
}

// Upload shows a picture in the thread below root. Nothing is repeated: when the answer to the last of its three requests is
// lost, nobody knows whether it is shown.
func (c *Client) Upload(ctx context.Context, root incident.Receipt, p Picture) error {
	var to *slack.GetUploadURLExternalResponse
	err := c.call(func(api *slack.Client) (err error) {
		to, err = api.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{
			FileName: p.Name, FileSize: len(p.PNG), AltTxt: p.Alt,
		})
		return err
	})
	if err == nil {
		err = c.send(ctx, to.UploadURL, p.PNG)
	}
	if err != nil {
		return notShown(err)
	}
	return c.call(func(api *slack.Client) error {
		_, err := api.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{
			Files: []slack.FileSummary{{ID: to.FileID, Title: p.Title}}, Channel: root.ChannelID, ThreadTimestamp: root.TS,
		})
		return err
	})
}

// send puts the bytes where Slack wants them. The address is a secret: whoever has it can write there.
func (c *Client) send(ctx context.Context, address string, content []byte) error {
	upload := &checked{
		client: c.http.client, name: "upload",
		accept: func(string, []byte) *Error { return nil }, // it answers in words
		hide:   func() []string { return append(c.http.hide(), address) },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(content))
	if err != nil { // its text has the address in it
		return &Error{Method: "upload", Class: incident.Undelivered, Code: "bad_url"}
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := upload.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// notShown is err as a failure before anything could be seen: what was uploaded, but belongs to no channel, is nowhere.
func notShown(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Class == incident.Ambiguous {
		definite := *e
		definite.Class = incident.Undelivered
		return &definite
	}
	return err
}
