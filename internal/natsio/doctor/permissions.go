package doctor

import (
	"fmt"
	"slices"
	"strings"

	"unconnected/internal/diagnosis"
	"unconnected/internal/natsroles"
)

// user is what the server says of the user of a connection.
type user struct {
	Name        string       `json:"user"`
	Permissions *permissions `json:"permissions"` // nil: all
}

type permissions struct {
	Publish *subjects `json:"publish"` // nil: all
}

// subjects are patterns. An empty Allow allows all.
type subjects struct {
	Allow []string `json:"allow"`
	Deny  []string `json:"deny"`
}

// may tells whether something may be published on a subject.
func (p *permissions) may(subject string) bool {
	if p == nil || p.Publish == nil {
		return true
	}
	covers := func(pattern string) bool { return covers(pattern, subject) }
	return (len(p.Publish.Allow) == 0 || slices.ContainsFunc(p.Publish.Allow, covers)) && !slices.ContainsFunc(p.Publish.Deny, covers)
}

// covers tells whether a subject matches a pattern with * for one word and > for all that follow.
func covers(pattern, subject string) bool {
	words, rest := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, word := range words {
		switch {
		case word == ">":
			return len(rest) > i
		case i >= len(rest) || word != "*" && word != rest[i]:
			return false
		}
	}
	return len(words) == len(rest)
}

// mostRefused are named in a finding.
const mostRefused = 4

// judgePermissions tells which rights of roles the user lacks. u is nil when the server does not tell who we are.
func judgePermissions(u *user, roles []natsroles.Role) diagnosis.Finding {
	const check = "permissions"
	if u == nil {
		return diagnosis.Skip(check, "", "the server does not tell what this user may do; what is refused shows in the logs")
	}
	var names, short, refused []string
	for _, role := range roles {
		names = append(names, role.Name)
		if patterns := lacking(u, &role); len(patterns) > 0 {
			refused, short = append(refused, patterns...), append(short, role.Name)
		}
	}
	slices.Sort(refused)
	refused = slices.Compact(refused)
	what := strings.Join(names, " and ")
	switch {
	case len(refused) > 0:
		more := ""
		if n := len(refused) - mostRefused; n > 0 {
			refused, more = refused[:mostRefused], fmt.Sprintf(" and %d more", n)
		}
		return diagnosis.Warn(check, "right if the "+strings.Join(short, " and the ")+" connects as another user; else give this one the rights that `unconnected streams users` prints",
			"this user lacks rights of the %s: may not publish %s%s", strings.Join(short, " and the "), strings.Join(refused, ", "), more)
	case u.Permissions == nil || u.Permissions.Publish == nil:
		return diagnosis.Ok(check, "the user may do everything")
	case what == "":
		return diagnosis.Ok(check, "the user may do certain things only; no program is configured here that needs more")
	}
	return diagnosis.Ok(check, "the user may do all that is needed by the %s", what)
}

// lacking are the rights of a role that a user has not.
func lacking(u *user, role *natsroles.Role) (patterns []string) {
	for _, pattern := range role.Publish {
		if !u.Permissions.may(instance(pattern)) {
			patterns = append(patterns, pattern)
		}
	}
	return patterns
}

// instance is a subject that a pattern covers.
func instance(pattern string) string {
	return strings.NewReplacer("*", "any", ">", "any").Replace(pattern)
}
