// Command slacktest is the Slack of the trial of the cluster: a stand-in with a page, and a ledger of what was posted.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"time"

	"unconnected/alerter/slack/fakeslack"
)

const address = ":8091"

func main() {
	slack := fakeslack.New(fakeslack.Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, _ *http.Request) { ledger(w, slack) })
	mux.Handle("/", slack)
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// ledger writes a line for each post: the transition that it tells, whether it is a root or in a thread, and its text.
func ledger(w http.ResponseWriter, slack *fakeslack.Server) {
	for _, m := range slack.Messages("#noc") {
		var metadata struct {
			Payload struct {
				Transition string `json:"transition"`
			} `json:"event_payload"`
		}
		_ = json.Unmarshal(m.Metadata, &metadata) // one without is told as such
		kind := "thread"
		if m.IsRoot() {
			kind = "root"
		}
		fmt.Fprintf(w, "%s\t%s\t%q\n", metadata.Payload.Transition, kind, m.Text)
	}
}
