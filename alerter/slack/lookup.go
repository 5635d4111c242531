package slack

import (
	"context"
	"errors"
	"regexp"
	"slices"
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

// FindRoots looks for the messages of their own that bear the transitions, posted after since. channel is an id or a name.
func (c *Client) FindRoots(ctx context.Context, channel string, transitions []string, since time.Time) (map[string]incident.Receipt, error) {
	return c.find(ctx, channel, transitions, func(api *slack.Client, channel, cursor string) (page, error) {
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
	found, err := c.find(ctx, root.ChannelID, []string{transition}, func(api *slack.Client, channel, cursor string) (page, error) {
		messages, more, next, err := api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: channel, Timestamp: root.TS, Cursor: cursor, Oldest: oldest(since), Limit: pageSize, IncludeAllMetadata: true,
		})
		return page{messages, more, next}, err
	})
	return only(found, transition, err)
}

// only is what was found of one transition.
func only(found map[string]incident.Receipt, transition string, err error) (incident.Receipt, error) {
	receipt, there := found[transition]
	switch {
	case there:
		return receipt, nil
	case err == nil:
		err = ErrNotFound
	}
	return incident.Receipt{}, err
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
func (c *Client) find(ctx context.Context, channel string, transitions []string, read reader) (map[string]incident.Receipt, error) {
	if channelID.MatchString(channel) {
		found, err := c.search(channel, transitions, read)
		for transition, got := range found {
			got.ChannelID = channel
			found[transition] = got
		}
		return found, lookupError(err)
	}
	id, err := c.ChannelID(ctx, channel)
	switch {
	case err == nil:
		return c.find(ctx, id, transitions, read)
	case !errors.Is(err, ErrNoChannel) && !historyRefused(err):
		return nil, err
	}
	for _, guess := range []string{channel, strings.TrimPrefix(channel, "#")} {
		found, err := c.search(guess, transitions, read)
		if !isCode(err, "channel_not_found") {
			return found, lookupError(err)
		}
	}
	return nil, ErrNoHistory
}

// search goes through the pages until everything is found. What was found before an error is found all the same.
func (c *Client) search(channel string, transitions []string, read reader) (map[string]incident.Receipt, error) {
	found := make(map[string]incident.Receipt)
	cursor := ""
	for range maxPages {
		var got page
		err := c.call(func(api *slack.Client) (err error) {
			got, err = read(api, channel, cursor)
			return err
		})
		if err != nil {
			return found, err
		}
		for _, m := range got.messages {
			transition, _ := m.Metadata.EventPayload["transition"].(string)
			_, twice := found[transition]
			if m.Metadata.EventType == EventType && !twice && slices.Contains(transitions, transition) {
				found[transition] = incident.Receipt{TS: m.Timestamp}
			}
		}
		if cursor = got.cursor; len(found) == len(transitions) || cursor == "" && !got.more {
			return found, nil
		}
		if cursor == "" {
			break
		}
	}
	return found, ErrNoHistory
}

func lookupError(err error) error {
	if historyRefused(err) {
		return ErrNoHistory
	}
	return err
}

var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{6,}$`)
