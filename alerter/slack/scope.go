package slack

import "slices"

// Scope is something that the bot may do.
type Scope struct {
	Name    string
	Purpose string // what it is for, and what is lost without it
}

// botScopes are all that the code makes use of, and nothing else: the manifest asks for just these. chat:write.public is not
// among them: whoever wants to be told invites the bot, so that nobody can make it write into any public channel.
var botScopes = []Scope{
	{"chat:write", "posts and edits; without it nobody is told of anything"},
	{"channels:history", "looks up what was posted in public channels; without it an answer that was lost may repeat an incident and drop a line of its thread"},
	{"groups:history", "the same in private channels"},
	{"channels:read", "finds public channels by name and knows their members; without it the buttons refuse everybody"},
	{"groups:read", "the same for private channels"},
	{"files:write", "uploads the chart into the thread; without it there is none"},
	{"commands", "the slash command; without it there is no /unconnected"},
	{"users:read", "names whoever took care of an incident; without it people are shown by their handle"},
	{"usergroups:read", "knows who is in the group of SLACK_OPERATORS; without it, and with that setting, the buttons refuse everybody"},
}

// Scopes are the scopes that a bot token should have, the most important first.
func Scopes() []Scope { return slices.Clone(botScopes) }

// ScopeSocket is what the app-level token (SLACK_APP_TOKEN) needs for Socket Mode.
const ScopeSocket = "connections:write"
