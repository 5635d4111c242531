package slack

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"unconnected/alerter/incident"
)

// A look-up reads at most so much. What is not found by then cannot be said to be absent.
const (
	pageSize = 200
	maxPages = 10
)

// skew is how far our clock and Slack's may differ.
const skew = 2 * time.Minute

// FindRoot looks for the message of its own that bears the transition, posted after since. channel is an id or a name.
func (c *Client) FindRoot(ctx context.Context, channel, transition string, since time.Time) (incident.Receipt, error) {
	return c.find(ctx, channel, transition, func(api *slack.Client, channel, cursor string) (page, error) {
		answer, err := api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: channel, Cursor: cursor, Oldest: oldest(since), Limit: pageSize, IncludeAllMetadata: true,
		})
		if err != nil {
			return page{}, err
		}
		return page{answer.Messages, answer.HasMore, answer.ResponseMetaData.NextCursor}, nil
	})
}

// FindReply looks for the post in root's thread that bears the transition, posted after since.
func (c *Client) FindReply(ctx context.Context, root incident.Receipt, transition string, since time.Time) (incident.Receipt, error) {
	return c.find(ctx, root.ChannelID, transition, func(api *slack.Client, channel, cursor string) (page, error) {
		messages, more, next, err := api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: channel, Timestamp: root.TS, Cursor: cursor, Oldest: oldest(since), Limit: pageSize, IncludeAllMetadata: true,
		})
		return page{messages, more, next}, err
	})
}

func oldest(since time.Time) string {
	return strconv.FormatInt(since.Add(-skew).Unix(), 10) + ".000000"
}

// page is one page of messages.
type page struct {
	messages []slack.Message
	more     bool
	cursor   string
}

// reader reads one page of a channel.
type reader func(api *slack.Client, channel, cursor string) (page, error)

// find looks in the channel. With only a name to go by, it asks for the id, and if that cannot be had tries the name.
func (c *Client) find(ctx context.Context, channel, transition string, read reader) (incident.Receipt, error) {
	if channelID.MatchString(channel) {
		got, err := c.search(channel, transition, read)
		got.ChannelID = channel
		return got, lookupError(err)
	}
	id, err := c.ChannelID(ctx, channel)
	switch {
	case err == nil:
		return c.find(ctx, id, transition, read)
	case !errors.Is(err, ErrNoChannel) && !historyRefused(err):
		return incident.Receipt{}, err
	}
	for _, guess := range []string{channel, strings.TrimPrefix(channel, "#")} {
		got, err := c.search(guess, transition, read)
		if !isCode(err, "channel_not_found") {
			return got, lookupError(err)
		}
	}
	return incident.Receipt{}, ErrNoHistory
}

// search goes through the pages.
func (c *Client) search(channel, transition string, read reader) (incident.Receipt, error) {
	cursor := ""
	for range maxPages {
		var got page
		err := c.call(func(api *slack.Client) (err error) {
			got, err = read(api, channel, cursor)
			return err
		})
		if err != nil {
			return incident.Receipt{}, err
		}
		for _, m := range got.messages {
			if m.Metadata.EventType == EventType && m.Metadata.EventPayload["transition"] == transition {
				return incident.Receipt{TS: m.Timestamp}, nil
			}
		}
		if cursor = got.cursor; cursor != "" {
			continue
		}
		if got.more {
			break
		}
		return incident.Receipt{}, ErrNotFound
	}
	return incident.Receipt{}, ErrNoHistory
}

func lookupError(err error) error {
	if historyRefused(err) {
		return ErrNoHistory
	}
	return err
}

var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{6,}$`)
