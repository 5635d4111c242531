package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"unconnected/alerter/incident"
)

// SocketConfig is what a [Socket] needs.
type SocketConfig struct {
	APIURL string        // SLACK_API_URL; "" for Slack itself
	Token  func() string // the app-level token; asked for every connection, because secrets rotate
	// Reload reads the token again when Slack refuses it; nil when it cannot change.
	Reload  func() (changed bool, err error)
	Timeout time.Duration // of one request, and of making the connection; 0 for DefaultTimeout
	Log     *slog.Logger
}

// Handler deals with what people do. Its methods are called concurrently, the same thing again when Slack got no acknowledgement
// of it. Slack gets that when they return, or after two seconds: they may take their time, up to the context's end.
type Handler interface {
	Click(ctx context.Context, c Click)
	// Command returns what the person who gave the command is told.
	Command(ctx context.Context, c Command) Answer
}

// Socket is the connection by Socket Mode over which Slack tells what people do with buttons and the slash command. It
// connects again whenever it must, and slowly when only a person can mend what is wrong. Of several processes with a Socket
// each interaction reaches one, any one. It is safe for concurrent use.
type Socket struct {
	config  SocketConfig
	http    *checked
	respond *http.Client

	mu      sync.Mutex
	up      bool      // guarded by mu
	since   time.Time // of up, or of not being up; guarded by mu
	trouble error     // why it is not up, as far as known; guarded by mu
}

// NewSocket returns a Socket. It does not connect.
func NewSocket(config SocketConfig) *Socket {
	config.APIURL, config.Timeout = apiURL(config.APIURL), cmp.Or(config.Timeout, DefaultTimeout)
	return &Socket{
		config: config, respond: newHTTPClient(config.Timeout), since: time.Now(), http: checkedAPI(config.Token, config.Timeout),
	}
}

// How long to wait before connecting again.
const (
	socketFirst   = time.Second
	socketMost    = 30 * time.Second
	socketRefused = time.Minute      // only a person can mend it
	socketLived   = 20 * time.Second // a connection that lasted so long was a good one
)

// socketGrace is how long a connection may be away before that is worth a word. Slack ends each after some hours.
const socketGrace = 30 * time.Second

// Run keeps the connection until ctx ends, and returns when all that was begun has been dealt with, or could not be in a
// moment.
func (s *Socket) Run(ctx context.Context, h Handler) {
	handling, cancel := lasting(ctx)
	defer cancel()
	var work sync.WaitGroup
	defer work.Wait()
	for wait := socketFirst; ctx.Err() == nil; {
		began := time.Now()
		err := s.connection(ctx, &receiver{socket: s, handler: h, handling: handling, work: &work})
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > socketLived {
			wait = 0 // Slack ends every connection now and then: people should not notice
		}
		pause := s.pause(err, wait)
		if s.note(err) && pause > 0 {
			s.config.Log.Warn("no connection by Socket Mode: buttons and the slash command wait", "error", err, "wait", pause.String())
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		wait = min(max(2*wait, socketFirst), socketMost)
	}
}

// stopClicksWithin is how long what somebody clicked may still take once the program stops.
const stopClicksWithin = 3 * time.Second

// lasting is a context that ends a while after ctx does.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(stopClicksWithin, cancel) })
	return longer, func() { stop(); cancel() }
}

// pause is how long to wait after a connection that ended with err. A token that was changed is tried at once.
func (s *Socket) pause(err error, wait time.Duration) time.Duration {
	var e *Error
	if !errors.As(err, &e) {
		return jittered(wait)
	}
	if e.Class == incident.Permanent && s.config.Reload != nil { // a token of the wrong kind, or without the scope, is replaced, too
		if changed, reloadErr := s.config.Reload(); changed && reloadErr == nil {
			return 0
		}
	}
	if e.Class == incident.Permanent {
		return jittered(socketRefused)
	}
	return max(jittered(wait), e.RetryAfter)
}

func jittered(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// note keeps why the connection is gone, and tells whether that is news.
func (s *Socket) note(err error) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.up {
		s.up, s.since = false, time.Now()
	}
	news = s.trouble == nil || s.trouble.Error() != err.Error()
	s.trouble = err
	return news
}

func (s *Socket) connected() {
	s.mu.Lock()
	again := s.trouble != nil && !errors.Is(s.trouble, errDropped)
	s.up, s.since, s.trouble = true, time.Now(), nil
	s.mu.Unlock()
	if again {
		s.config.Log.Info("connected by Socket Mode again: buttons and the slash command work")
	}
}

// State tells whether people can use buttons and the slash command, or why not and what to do. A short absence is none.
func (s *Socket) State() (ok bool, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var e *Error
	switch refused := errors.As(s.trouble, &e) && e.Class == incident.Permanent; {
	case s.up:
		return true, ""
	case refused:
		return false, fmt.Sprintf("Slack refuses Socket Mode: %s; %s", e.Code, e.Hint)
	case time.Since(s.since) < socketGrace:
		return true, ""
	}
	why := "connecting"
	if s.trouble != nil {
		why = s.trouble.Error()
	}
	return false, fmt.Sprintf("no connection by Socket Mode since %s, so buttons and the slash command do not work: %s",
		s.since.UTC().Format(time.RFC3339), why)
}

// errDropped says that a connection ended that had worked.
var errDropped = errors.New("the connection ended")

// connection makes one connection, and receives until it ends. slack-go would connect again by itself, for ever and
// without a pause where connections end as soon as they are made, so it is stopped after the first.
func (s *Socket) connection(ctx context.Context, r *receiver) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	api := slack.New("", slack.OptionAppLevelToken(s.config.Token()), slack.OptionHTTPClient(s.http), slack.OptionAPIURL(s.config.APIURL))
	client := socketmode.New(api, socketmode.OptionReadLimit(maxEnvelope), socketmode.OptionLog(log.New(io.Discard, "", 0)))
	r.client = client
	ended := make(chan struct{})
	go func() { defer close(ended); _ = client.RunContext(ctx) }() // its events say why it ends
	late := time.AfterFunc(s.config.Timeout, cancel)
	defer late.Stop()
	why := error(&Error{Method: methodSocket, Class: incident.Undelivered, Code: "timeout"})
	hello := false
	for {
		select {
		case <-ended:
			return why
		case event := <-client.Events:
			switch event.Type {
			case socketmode.EventTypeConnecting:
				if e, ok := event.Data.(*slack.ConnectingEvent); ok && e.ConnectionCount > 0 {
					if !hello {
						why = &Error{Method: methodSocket, Class: incident.Undelivered, Code: "turned_away", Hint: hintTurnedAway}
					}
					cancel()
				}
			case socketmode.EventTypeConnectionError:
				if e, ok := event.Data.(*slack.ConnectionErrorEvent); ok && ctx.Err() == nil {
					why = s.socketError(e.ErrorObj)
				}
				cancel()
			case socketmode.EventTypeHello:
				late.Stop()
				hello, why = true, errDropped
				s.connected()
			default:
				r.receive(ctx, &event)
			}
		}
	}
}

const methodSocket = "socket mode"

// hintTurnedAway is for a connection that Slack ends before it greets: it does so with the eleventh of an app.
const hintTurnedAway = "Slack ends the connection at once: are more than ten processes connected with this app?"

// maxEnvelope bounds one message by Socket Mode, in bytes: a payload repeats the message that was clicked on.
const maxEnvelope = 4 << 20

// ticket is what lets anybody use the address of a connection.
var ticket = regexp.MustCompile(`ticket=[^&\s"]*`)

// socketError is why no connection could be made, with what to do about the app-level token.
func (s *Socket) socketError(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		text := ticket.ReplaceAllString(s.http.redact(err).Error(), "ticket=[redacted]")
		return &Error{Method: methodSocket, Class: incident.Undelivered, Code: "connection", Err: errors.New(text)}
	}
	told := *e
	if hint := appHint(e.Code); hint != "" {
		told.Class, told.Hint = incident.Permanent, hint
	}
	return &told
}

// appHint is what to do about a refusal that is about the app-level token, or "".
func appHint(code string) string {
	switch code {
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive":
		return "SLACK_APP_TOKEN is not valid: make an app-level token with " + ScopeSocket + " on the app's Basic Information page"
	case "not_allowed_token_type":
		return "SLACK_APP_TOKEN must be an app-level token (xapp-…), not the bot token"
	case "missing_scope":
		return "SLACK_APP_TOKEN lacks the scope " + ScopeSocket + ": make another app-level token on the app's Basic Information page"
	case "no_permission", "access_denied", "socket_mode_disabled", "app_not_eligible":
		return "turn Socket Mode on in the app's settings; deploy/slack/manifest.yaml does"
	}
	return ""
}
