package doctor

import (
	"fmt"
	"slices"
	"strings"

	"unconnected/internal/diagnosis"
)

// scope is what a token should be allowed.
type scope struct {
	name     string
	without  string // what is lost without it
	required bool   // without it people are not told at all
	applies  func(workspace) bool
}

// workspace is what matters for the scopes that are needed.
type workspace struct {
	public, private bool // there are such channels among those to tell
	byName          bool // one of them is named, not given by its id
	socket          bool // SLACK_APP_TOKEN is set
	operators       bool // SLACK_OPERATORS is set
}

func always(workspace) bool        { return true }
func inPublic(w workspace) bool    { return w.public }
func inPrivate(w workspace) bool   { return w.private }
func bySocket(w workspace) bool    { return w.socket }
func byOperators(w workspace) bool { return w.socket && w.operators }

// named are channels whose members must be known, or that are looked up by name.
func namedPublic(w workspace) bool  { return w.public && (w.byName || w.socket) }
func namedPrivate(w workspace) bool { return w.private && (w.byName || w.socket) }

// scopes are those of the bot token.
var scopes = []scope{
	{"chat:write", "nothing can be posted", true, always},
	{"channels:history", "when an answer of Slack is lost, an incident may appear twice", false, inPublic},
	{"groups:history", "when an answer of Slack is lost, an incident may appear twice in a private channel", false, inPrivate},
	{"channels:read", "a channel that is named can't be looked up when an answer is lost, nor checked here; buttons refuse everybody", false, namedPublic},
	{"groups:read", "the same for private channels", false, namedPrivate},
	{"files:write", "there is no picture of the last 24 hours in the thread", false, always},
	{"commands", "there is no slash command", false, bySocket},
	{"users:read", "whoever takes care of an incident is shown by their handle", false, bySocket},
	{"usergroups:read", "nobody is known to be in SLACK_OPERATORS: buttons refuse everybody", false, byOperators},
}

// judgeScopes says which scopes are missing and what that costs. Nil granted means that Slack did not say.
func judgeScopes(granted []string, w workspace) diagnosis.Finding {
	const check = "scopes"
	if granted == nil {
		return diagnosis.Skip(check, "", "Slack does not say what the token may do")
	}
	var missing, lost []string
	fatal := false
	for _, s := range scopes {
		if s.applies(w) && !slices.Contains(granted, s.name) {
			missing = append(missing, s.name)
			lost = append(lost, fmt.Sprintf("%s (%s)", s.name, s.without))
			fatal = fatal || s.required
		}
	}
	next := "in the app, OAuth & Permissions: add " + strings.Join(missing, ", ") + ", and install it again"
	switch {
	case fatal:
		return diagnosis.Fail(check, next, "missing: %s", strings.Join(lost, "; "))
	case len(missing) > 0:
		return diagnosis.Warn(check, next, "missing: %s", strings.Join(lost, "; "))
	}
	return diagnosis.Ok(check, "%s", strings.Join(granted, ", "))
}
