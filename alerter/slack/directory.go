package slack

import (
	"cmp"
	"context"

	"github.com/slack-go/slack"
)

// How many members of a channel are asked for at once, and in how many pages at most.
const (
	membersPage  = 1000
	membersPages = 50
)

// Members are the ids of those who are in a channel, named by its id. It takes the scope channels:read, and groups:read for a
// private one. The error is an [*Error].
func (c *Client) Members(ctx context.Context, channel string) ([]string, error) {
	var members []string
	cursor := ""
	for range membersPages {
		var some []string
		err := c.call(func(api *slack.Client) (err error) {
			some, cursor, err = api.GetUsersInConversationContext(ctx, &slack.GetUsersInConversationParameters{
				ChannelID: channel, Cursor: cursor, Limit: membersPage,
			})
			return err
		})
		if err != nil {
			return nil, err
		}
		if members = append(members, some...); cursor == "" {
			break
		}
	}
	return members, nil
}

// GroupMembers are the ids of those who are in a user group, named by its id. It takes the scope usergroups:read. The error
// is an [*Error].
func (c *Client) GroupMembers(ctx context.Context, group string) ([]string, error) {
	var members []string
	err := c.call(func(api *slack.Client) (err error) {
		members, err = api.GetUserGroupMembersContext(ctx, group)
		return err
	})
	return members, err
}

// PersonName is what people call somebody, named by their id. It takes the scope users:read. The error is an [*Error].
func (c *Client) PersonName(ctx context.Context, user string) (string, error) {
	var name string
	err := c.call(func(api *slack.Client) error {
		who, err := api.GetUserInfoContext(ctx, user)
		if err == nil {
			name = cmp.Or(who.Profile.RealName, who.RealName, who.Profile.DisplayName, who.Name)
		}
		return err
	})
	return name, err
}

// ChannelID is the id of a channel that is named as in the settings: by its id, or by its name with or without #. The error
// is [ErrNoChannel] or an [*Error].
func (c *Client) ChannelID(ctx context.Context, channel string) (string, error) {
	if channelID.MatchString(channel) {
		return channel, nil
	}
	found, err := c.Channel(ctx, channel)
	return found.ID, err
}

// ValidGroup tells whether id may name a user group: S012AB3CD.
func ValidGroup(id string) bool {
	m := mentionGroup.FindStringSubmatch(id)
	return m != nil && m[1] == id
}

// IsMissingScope tells whether the app lacks a scope for what was asked.
func IsMissingScope(err error) bool { return isCode(err, "missing_scope") }
