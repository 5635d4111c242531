package alerter_test

import (
	"bytes"
	"fmt"
	"image/png"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack/fakeslack"
)

// pictures are those in the threads of the channel.
func (w *world) pictures(name string) []fakeslack.File {
	var files []fakeslack.File
	for _, m := range w.slack.Messages(name) {
		if !m.IsRoot() {
			files = append(files, m.Files...)
		}
	}
	return files
}

// TestPicture: the picture hangs below the message, once, and whatever becomes of it the message is there.
func TestPicture(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method string
		fault  fakeslack.Fault
		scopes []string
		want   int
	}{
		"shown":                   {want: 1},
		"too many requests":       {method: "files.getUploadURLExternal", fault: fakeslack.TooMany(1), want: 1},
		"refused":                 {method: "files.completeUploadExternal", fault: fakeslack.Refuse("file_not_found"), want: 1},
		"shown, the answer lost":  {method: "files.completeUploadExternal", fault: fakeslack.DropAfter(), want: 1},
		"not known whether shown": {method: "files.completeUploadExternal", fault: fakeslack.DropBefore(), want: 0},
		"without the scope":       {scopes: []string{"chat:write", "channels:history", "channels:read"}, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if test.scopes != nil {
				w.slack.SetScopes(test.scopes...)
			}
			if test.method != "" {
				w.slack.Fail(test.method, test.fault)
			}
			w.start()
			w.play("default", "qqqc")
			last := "files.completeUploadExternal"
			if test.scopes != nil {
				last = "files.getUploadURLExternal"
			}
			eventually(t, "the last request for the picture", func() (bool, string) {
				n := len(w.slack.Requests(last))
				return n > 0 && len(w.pictures("#noc")) == test.want, fmt.Sprint(n, " requests, ", len(w.pictures("#noc")), " pictures")
			})
			w.play("default", "q")
			w.expectChannel("#noc", "root ✅ default/Congestion/4/firing", "line* default/Congestion/5/resolved")
			files := w.pictures("#noc")
			if len(files) != test.want {
				t.Errorf("%d pictures, want %d", len(files), test.want)
			}
			for _, f := range files {
				if drawn, err := png.Decode(bytes.NewReader(f.Data)); err != nil || drawn.Bounds().Dx() < 600 || f.AltText == "" {
					t.Errorf("the picture %s (%q): %v", f.Name, f.AltText, err)
				}
			}
		})
	}
}

// TestPictureAfterARestart: whoever comes after an alerter that died between a message and its picture shows it, once.
func TestPictureAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start()
	w.play("default", "qqqc")
	shown := func(n int) {
		t.Helper()
		eventually(t, "the picture", func() (bool, string) {
			got := len(w.slack.Requests("files.completeUploadExternal"))
			return got == n && len(w.pictures("#noc")) == n, fmt.Sprint(got, " uploads")
		})
	}
	shown(1)
	p.stop()
	stream, err := w.js.Stream(t.Context(), "KV_unconnected_notices")
	if err == nil { // as if it had died before that
		key := incident.Key("@picture/"+w.stored()[0].Incident, "#noc")
		err = stream.Purge(t.Context(), jetstream.WithPurgeSubject("$KV.unconnected_notices."+key))
	}
	if err != nil {
		t.Fatal(err)
	}
	p = w.start()
	shown(2)
	p.stop()
	w.start()
	w.play("default", "q")
	w.expectChannel("#noc", "root ✅ default/Congestion/4/firing", "line* default/Congestion/5/resolved")
	shown(2)
}
