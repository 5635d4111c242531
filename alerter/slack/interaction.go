package slack

import (
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// Click is a button or a menu of one of our messages that somebody used. Names and texts in it are as Slack sent them.
type Click struct {
	Action   string    // one of the Action… constants, or one that nobody knows
	Incident string    // whose button it is; "" for a button that belongs to none
	Choice   string    // of a menu
	User     string    // id: U012AB3CD
	UserName string    // the handle
	Channel  string    // id
	Message  string    // ts of the message
	At       time.Time // when, on Slack's clock, in UTC; zero when Slack did not say
	Stamp    string    // Slack's name for the moment: the same when the click is sent again, another for every other click
	Answer   string    // where to answer: an address that is a secret
}

// Key tells two clicks apart: the same click has the same key, however often it is sent.
func (c *Click) Key() string { return c.User + "/" + c.Stamp }

// Command is a slash command that somebody gave.
type Command struct {
	Text        string // behind the command
	User        string // id
	Channel     string // id of where it was given
	ChannelName string
	Answer      string // where to answer: an address that is a secret
}

// clicksOf are the buttons of our messages that an interaction is about. Other interactions have none.
func clicksOf(callback *slack.InteractionCallback) []Click {
	if callback.Type != slack.InteractionTypeBlockActions {
		return nil
	}
	var clicks []Click
	for _, action := range callback.ActionCallback.BlockActions {
		if action == nil {
			continue
		}
		c := Click{
			Action: action.ActionID, Choice: action.SelectedOption.Value,
			User: callback.User.ID, UserName: callback.User.Name,
			Channel: callback.Channel.ID, Message: callback.Container.MessageTs,
			Stamp: action.ActionTs, At: stampTime(action.ActionTs), Answer: callback.ResponseURL,
		}
		if c.Channel == "" {
			c.Channel = callback.Container.ChannelID
		}
		var ok bool
		if c.Incident, ok = IncidentOfButtons(action.BlockID); !ok {
			c.Incident = action.Value
		}
		clicks = append(clicks, c)
	}
	return clicks
}

// stampTime is the instant of one of Slack's stamps, zero for anything else.
func stampTime(stamp string) time.Time {
	whole, _, _ := strings.Cut(stamp, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds <= 0 || seconds > 1<<40 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func commandOf(c *slack.SlashCommand) Command {
	return Command{Text: c.Text, User: c.UserID, Channel: c.ChannelID, ChannelName: c.ChannelName, Answer: c.ResponseURL}
}
