package slack

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"unconnected/alerter/incident"
)

// DefaultTimeout bounds one request.
const DefaultTimeout = 10 * time.Second

// EventType marks our posts in their metadata. Its payload names the transition and the incident.
const EventType = "unconnected_alert"

// Config is what a [Client] needs.
type Config struct {
	APIURL string        // SLACK_API_URL; "" for Slack itself
	Token  func() string // asked for every request, because secrets rotate
	// Reload reads the token again when Slack refuses it; nil when it cannot change. The request is repeated at once if
	// Token then returns another one.
	Reload  func() (changed bool, err error)
	Timeout time.Duration // of one request; 0 for DefaultTimeout
}

// Client is a [Sink] over Slack's Web API. It never repeats a post by itself, except with a new token after the old one
// was refused. It is safe for concurrent use.
type Client struct {
	config Config
	http   *checked
}

// NewClient returns a Client. It does not connect.
func NewClient(config Config) *Client {
	config.APIURL, config.Timeout = apiURL(config.APIURL), cmp.Or(config.Timeout, DefaultTimeout)
	return &Client{config: config, http: checkedAPI(config.Token, config.Timeout)}
}

// apiURL is where the methods of the Web API are found; slack-go just appends them.
func apiURL(configured string) string {
	return strings.TrimSuffix(cmp.Or(configured, slack.APIURL), "/") + "/"
}

// checkedAPI is for requests to the Web API with a token.
func checkedAPI(token func() string, timeout time.Duration) *checked {
	return &checked{
		client: newHTTPClient(timeout), accept: acceptAPI, hide: func() []string { return []string{token()} },
	}
}

// Caps says that everything is possible. Whether the history may be read shows only in the first look-up.
func (c *Client) Caps() incident.Caps {
	return incident.Caps{Threads: true, Edits: true, Lookup: true, Groups: true}
}

// Identity is who the token belongs to.
type Identity struct {
	Team, User string
	Scopes     []string // what the token may do; nil when Slack did not say
}

// Auth asks Slack who we are: the way to find out early that a token is wrong.
func (c *Client) Auth(ctx context.Context) (Identity, error) {
	var who Identity
	err := c.call(func(api *slack.Client) error {
		answer, err := api.AuthTestContext(ctx)
		if err != nil {
			return err
		}
		who = Identity{Team: answer.Team, User: answer.User, Scopes: scopes(answer.Header)}
		return nil
	})
	return who, err
}

func scopes(h http.Header) []string {
	var scopes []string
	for scope := range strings.SplitSeq(h.Get("X-OAuth-Scopes"), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// Post posts a message.
func (c *Client) Post(ctx context.Context, p Post) (incident.Receipt, error) {
	options := append(options(p.Message, p.Plain), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	if p.ThreadTS != "" {
		options = append(options, slack.MsgOptionTS(p.ThreadTS))
		if p.Broadcast {
			options = append(options, slack.MsgOptionBroadcast())
		}
	}
	var got incident.Receipt
	err := c.call(func(api *slack.Client) (err error) {
		got.ChannelID, got.TS, err = api.PostMessageContext(ctx, p.Channel, options...)
		return err
	})
	if err == nil && got.TS == "" {
		return got, &Error{Method: "chat.postMessage", Class: incident.Ambiguous, Code: "no_ts"}
	}
	return got, err
}

// Update changes the message that root names into m.
func (c *Client) Update(ctx context.Context, root incident.Receipt, m Message, plain bool) error {
	return c.call(func(api *slack.Client) error {
		_, _, _, err := api.UpdateMessageContext(ctx, root.ChannelID, root.TS, options(m, plain)...)
		return err
	})
}

// options are the content of a message. Nothing in it is parsed for names or links (an edit would do so by default), and
// an edit without blocks takes the old ones away.
func options(m Message, plain bool) []slack.MsgOption {
	list := []slack.MsgOption{
		slack.MsgOptionParse(false),
		slack.MsgOptionMetadata(slack.SlackMetadata{
			EventType:    EventType,
			EventPayload: map[string]any{"transition": m.Transition, "incident": m.Incident},
		}),
	}
	if plain {
		return append(list, slack.MsgOptionText(m.PlainText(), false), slack.MsgOptionBlocks())
	}
	return append(list, slack.MsgOptionText(m.Notification(), false), slack.MsgOptionBlocks(m.Blocks()...))
}

// call makes one request; when the token is refused and another one is at hand, a second.
func (c *Client) call(request func(*slack.Client) error) error {
	token := c.config.Token()
	err := c.once(token, request)
	if c.config.Reload == nil || !tokenRefused(err) {
		return err
	}
	if _, reloadErr := c.config.Reload(); reloadErr != nil {
		return err // the refusal says more than a file that is just being replaced
	}
	if fresh := c.config.Token(); fresh != token {
		return c.once(fresh, request)
	}
	return err
}

func (c *Client) once(token string, request func(*slack.Client) error) error {
	api := slack.New(token, slack.OptionHTTPClient(c.http), slack.OptionAPIURL(c.config.APIURL))
	err := request(api)
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	// The answer said that it worked, but slack-go could not read it; or the request could not be built.
	return &Error{Method: "api", Class: incident.Ambiguous, Code: "unreadable_answer", Err: c.http.redact(err)}
}
