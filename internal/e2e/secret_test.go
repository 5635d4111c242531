package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/slack/fakeslack"
	"unconnected/producer/wolkvox/simulator"
)

// requireNoSecretStored searches every message of every stream, those under the buckets among them, for the secrets.
func (w *world) requireNoSecretStored(js jetstream.JetStream) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience) // the test's own has ended
	defer cancel()
	eventually(w.t, func() error {
		_, err := js.AccountInfo(ctx)
		return err
	})
	for info := range js.ListStreams(ctx).Info() {
		if err := w.searchStream(ctx, js, info); err != nil {
			w.t.Errorf("searching %s for secrets: %v", info.Config.Name, err)
		}
	}
}

func (w *world) searchStream(ctx context.Context, js jetstream.JetStream, info *jetstream.StreamInfo) error {
	consumer, err := js.OrderedConsumer(ctx, info.Config.Name, jetstream.OrderedConsumerConfig{})
	if err != nil || consumer.CachedInfo().NumPending == 0 {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		stored := fmt.Sprint(msg.Subject(), msg.Headers(), string(msg.Data()))
		for _, secret := range w.secrets {
			if strings.Contains(stored, secret) {
				w.t.Errorf("%s holds a secret: %.2000s", info.Config.Name, stored)
				return nil
			}
		}
		if meta, err := msg.Metadata(); err != nil || meta.NumPending == 0 {
			return err
		}
	}
}

// echoes are answers of an API that repeats the token it was given.
var echoes = map[string]func(w http.ResponseWriter, r *http.Request, token string){
	"page": func(w http.ResponseWriter, _ *http.Request, token string) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "<html>wolkvox-token: %s</html>", token)
	},
	"refusal": func(w http.ResponseWriter, _ *http.Request, token string) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"code":"403","error":"FORBIDDEN","msg":"PLEASE VALIDATE TOKEN %s"}`, token)
	},
	"redirect": func(w http.ResponseWriter, r *http.Request, token string) {
		http.Redirect(w, r, "http://127.0.0.1:1/"+token, http.StatusFound)
	},
	"garbage": func(w http.ResponseWriter, _ *http.Request, token string) {
		fmt.Fprintf(w, `{"code":"200","data":[{"result":%q,"count":"-1"}]}`, token)
	},
	"count": func(w http.ResponseWriter, _ *http.Request, token string) {
		fmt.Fprintf(w, `{"code":"200","data":[{"result":"BUSY","count":%q}]}`, token)
	},
	"result": func(w http.ResponseWriter, _ *http.Request, token string) {
		fmt.Fprintf(w, `{"code":"200","data":[{"result":%q,"count":"3"}]}`, token)
	},
}

// echo is a fault of the simulated API.
func echo(answer func(http.ResponseWriter, *http.Request, string)) simulator.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		answer(w, r, r.Header.Get("wolkvox-token"))
	}
}

// TestAPIThatRepeatsTheToken: whatever the API answers, the token it repeats shows nowhere: not in logs, in what is served
// over HTTP, in what is stored, nor in what the tool prints. (Every world is searched when its test ends.)
func TestAPIThatRepeatsTheToken(t *testing.T) {
	t.Parallel()
	for name, answer := range echoes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			env := map[string]string{"POLL_GIVE_UP": "1s"}
			producer := w.start("producer", env)
			w.awaitLive()
			asked := len(w.api.Ledger())
			w.api.FailAll(echo(answer))
			eventually(t, func() error {
				if len(w.api.Ledger()) < asked+2 {
					return errNotYet
				}
				return nil
			})
			_, _ = producer.get("/readyz") // kept in answers
			for _, args := range [][]string{{"verify", "--against-api", "1"}, {"backfill", "--from", "-2m", "--to", "-1m"}} {
				p := w.start("unconnected", env, args...)
				select {
				case <-p.done:
				case <-time.After(2 * second): // it waits for an API that answers
				}
			}
			producer.stop()
			w.tool(0, "history", "--all", "--format", "jsonl")
		})
	}
}

// TestSlackThatRepeatsTheToken: the same of Slack, of its webhook, and of the dead man's switch.
func TestSlackThatRepeatsTheToken(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"error":   `{"ok":false,"error":%q}`,
		"warning": `{"ok":false,"error":"invalid_auth","warning":"t","response_metadata":{"messages":[%q]}}`,
		"page":    "<html>%s</html>",
	} {
		for _, way := range []string{"token", "webhook"} {
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, congestion(-20*second, 10*second))
				const hook = "T0000/B0000/secret-of-the-webhook-77aa"
				env, secret := map[string]string{}, slackToken
				if way == "webhook" {
					env["SLACK_TOKEN"], env["SLACK_CHANNEL"] = "", ""
					env["SLACK_WEBHOOK_URL"] = strings.TrimSuffix(w.slack.APIURL(), "/api/") + "/services/" + hook
					w.secrets, secret = append(w.secrets, hook), hook
				}
				fault := fakeslack.Fault{Name: "repeats the secret", Body: fmt.Sprintf(body, secret)}
				for range 200 {
					w.slack.Fail("*", fault)
				}
				w.start("producer", nil)
				alerter := w.start("alerter", env)
				alerter.awaitLog("Slack was not told; it stays queued")
				_, _ = alerter.get("/readyz") // kept in answers
			})
		}
	}
}

// TestDeadMansSwitchThatFails: its address, which is the secret, does not show when it fails, repeats the address or sends
// elsewhere.
func TestDeadMansSwitchThatFails(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"away":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"repeats": func(w http.ResponseWriter, r *http.Request) { http.Error(w, r.URL.Path, http.StatusBadGateway) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1"+r.URL.Path, http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			dead := httptest.NewServer(answer)
			t.Cleanup(dead.Close)
			w.start("producer", nil)
			w.start("alerter", map[string]string{"ALERT_HEARTBEAT_URL": dead.URL + "/" + heartbeatPath}).
				awaitLog("the dead man's switch at ALERT_HEARTBEAT_URL can't be told that all is well")
		})
	}
}

// TestPasswordsInAddresses: passwords that are part of an address show no more than others.
func TestPasswordsInAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const password = "secret-in-an-address-0b1c"
	w.secrets = append(w.secrets, password)
	at := func(address string) string { return strings.Replace(address, "://", "://user:"+password+"@", 1) }
	w.start("producer", map[string]string{"WOLKVOX_BASE_URL": at("http://127.0.0.1:1"), "WOLKVOX_TOKEN": "x"}).
		awaitUnready([]string{"retrying"}, "127.0.0.1:1")
	away := map[string]string{"NATS_URL": at("nats://127.0.0.1:1"), "NATS_USER": "", "NATS_PASSWORD": ""}
	for _, program := range []string{"producer", "alerter"} {
		w.start(program, away).awaitLog("NATS is not reachable; trying again until it is")
	}
	for _, args := range [][]string{{"verify"}, {"tail"}, {"history"}, {"streams", "plan"}, {"backfill", "--from", "-1h"}} {
		p := w.start("unconnected", away, args...)
		p.exit(patience, 1)
	}
	for _, program := range []string{"producer", "alerter"} {
		w.start(program, map[string]string{
			"NATS_URL": at("http://127.0.0.1:1"), "WOLKVOX_BASE_URL": at("ftp://127.0.0.1:1"), "SLACK_API_URL": at("ftp://127.0.0.1:1"),
			"SLACK_TOKEN": slackToken + "\n" + slackToken, "WOLKVOX_TOKEN": wolkvoxToken + "\n" + wolkvoxToken,
			"ALERT_HEARTBEAT_URL": at("ftp://127.0.0.1:1"), "SLACK_WEBHOOK_URL": at("ftp://127.0.0.1:1"),
		}).exit(quickly, 2)
	}
}
