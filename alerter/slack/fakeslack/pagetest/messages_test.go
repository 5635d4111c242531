//go:build browser

package pagetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"unconnected/alerter/slack/fakeslack"
)

// TestTheAlertersMessages shows what alerter/slack composes, on a phone, in both languages.
func TestTheAlertersMessages(t *testing.T) {
	for _, language := range []string{"en", "es"} {
		t.Run(language, func(t *testing.T) {
			files, err := filepath.Glob("../../testdata/" + language + "/*.json")
			if err != nil || len(files) == 0 {
				t.Fatal("there are no messages", err)
			}
			w := open(t, fakeslack.Options{Language: language}, phone())
			for _, file := range files {
				content, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				var message struct {
					Text   string
					Blocks json.RawMessage
				}
				if err := json.Unmarshal(content, &message); err != nil {
					t.Fatal(file, err)
				}
				w.post("text", message.Text, "blocks", string(message.Blocks))
			}
			w.see("all messages", fmt.Sprintf(`document.querySelectorAll("article").length === %d`, len(files)))
			w.is("words in each", `[...document.querySelectorAll("article .content")].every(e => e.innerText.length > 40)`)
			w.is("no markup is left", `!/<[!@#h]|&(amp|lt|gt);/.test(document.getElementById("messages").innerText)`)
			w.is("the day in its language", fmt.Sprintf(`document.querySelector("article").dataset.day === %q`, map[string]string{"en": "Today", "es": "Hoy"}[language]))
			w.is("no sideways scrolling", `document.getElementById("scroll").scrollWidth <= 390`)
			w.picture("messages-" + language)
		})
	}
}
