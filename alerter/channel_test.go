package alerter_test

import (
	"encoding/json"
	"strings"

	"unconnected/alerter/slack/fakeslack"
)

// channel is what a channel shows, oldest first, a line per message: its place and the transition that it bears; a root
// has its icon, which an edit changes. A line that the whole channel sees has a star.
func (w *world) channel(name string) []string {
	var lines []string
	for _, m := range w.slack.Messages(name) {
		if len(m.Files) > 0 {
			continue // a picture comes when it comes
		}
		icon, _, _ := strings.Cut(m.Text, " ")
		place := "root " + icon
		switch {
		case m.Broadcast:
			place = "line*"
		case !m.IsRoot():
			place = "line"
		}
		lines = append(lines, place+" "+transitionOf(&m))
	}
	return lines
}

func transitionOf(m *fakeslack.Message) string {
	var metadata struct {
		Payload struct {
			Transition string `json:"transition"`
		} `json:"event_payload"`
	}
	if err := json.Unmarshal(m.Metadata, &metadata); err != nil {
		return err.Error()
	}
	return metadata.Payload.Transition
}

// expectChannel waits until the channel shows this.
func (w *world) expectChannel(name string, want ...string) {
	w.t.Helper()
	eventually(w.t, strings.Join(want, ", "), func() (bool, string) {
		got := strings.Join(w.channel(name), ", ")
		return got == strings.Join(want, ", "), got
	})
}
