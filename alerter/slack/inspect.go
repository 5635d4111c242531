package slack

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// ChannelState is what Slack says of a channel.
type ChannelState struct {
	ID, Name string
	Private  bool
	Archived bool
	Member   bool // the bot is in it
}

// A search by name reads at most so many channels: rather few questions, since Slack allows twenty a minute.
const (
	listSize  = 1000
	listPages = 10
)

// ErrNoChannel says that there is no such channel among those that the bot can see: public ones, and private ones that it
// was invited to.
var ErrNoChannel = errors.New("the bot sees no such channel")

// Channel asks Slack about a channel, by its id or name. It changes nothing. An error is [ErrNoChannel] or an [*Error].
func (c *Client) Channel(ctx context.Context, channel string) (ChannelState, error) {
	if channelID.MatchString(channel) {
		return c.channelByID(ctx, channel)
	}
	name := strings.TrimPrefix(channel, "#")
	found, err := c.channelByName(ctx, name, "public_channel", "private_channel")
	if historyRefused(err) { // no scope for private ones
		found, err = c.channelByName(ctx, name, "public_channel")
	}
	return found, err
}

func (c *Client) channelByID(ctx context.Context, id string) (found ChannelState, err error) {
	err = c.call(func(api *slack.Client) error {
		answer, err := api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		if err == nil {
			found = stateOf(answer)
		}
		return err
	})
	if isCode(err, "channel_not_found") {
		err = ErrNoChannel
	}
	return found, err
}

func (c *Client) channelByName(ctx context.Context, name string, types ...string) (ChannelState, error) {
	cursor := ""
	for range listPages {
		var page []slack.Channel
		err := c.call(func(api *slack.Client) (err error) {
			page, cursor, err = api.GetConversationsContext(ctx, &slack.GetConversationsParameters{Cursor: cursor, Limit: listSize, Types: types})
			return err
		})
		if err != nil {
			return ChannelState{}, err
		}
		for i := range page {
			if page[i].Name == name {
				return stateOf(&page[i]), nil
			}
		}
		if cursor == "" {
			break
		}
	}
	return ChannelState{}, ErrNoChannel
}

func stateOf(c *slack.Channel) ChannelState {
	return ChannelState{ID: c.ID, Name: c.Name, Private: c.IsPrivate, Archived: c.IsArchived, Member: c.IsMember}
}

// AuthApp asks Slack whether an app-level token (SLACK_APP_TOKEN) may open a socket. It asks for an address, and does not
// connect to it. The error, if any, is an [*Error].
func AuthApp(ctx context.Context, apiURL string, token func() string, timeout time.Duration) error {
	client := NewClient(Config{APIURL: apiURL, Token: token, Timeout: timeout})
	api := slack.New("", slack.OptionAppLevelToken(token()), slack.OptionHTTPClient(client.http), slack.OptionAPIURL(client.config.APIURL))
	_, _, err := api.StartSocketModeContext(ctx)
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) {
		return &Error{Method: "apps.connections.open", Code: "unreadable_answer", Err: client.http.redact(err)}
	}
	switch {
	case e.Code == "missing_scope", e.Code == "no_permission":
		e.Hint = "give the app-level token the scope connections:write (Basic Information, App-Level Tokens)"
	case tokenRefused(err), e.Code == "not_allowed_token_type":
		e.Hint = "SLACK_APP_TOKEN is not valid: make an app-level token (xapp-…) with the scope connections:write"
	}
	return e
}
