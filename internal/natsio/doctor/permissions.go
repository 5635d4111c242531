package doctor

import (
	"slices"
	"strings"

	"unconnected/internal/diagnosis"
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

// A Need is a subject that a program publishes on, and what for.
type Need struct{ Subject, What string }

// judgePermissions tells which needs the user can't meet. u is nil when the server does not tell who we are.
func judgePermissions(u *user, needs []Need) diagnosis.Finding {
	const check = "permissions"
	if u == nil {
		return diagnosis.Skip(check, "", "the server does not tell what this user may do; what is refused shows in the logs")
	}
	var refused []string
	for _, n := range needs {
		if !u.Permissions.may(n.Subject) {
			refused = append(refused, n.What+" ("+n.Subject+")")
		}
	}
	switch {
	case len(refused) > 0:
		return diagnosis.Fail(check, "let this user publish on these subjects", "the user may not %s", strings.Join(refused, ", "))
	case u.Permissions == nil || u.Permissions.Publish == nil:
		return diagnosis.Ok(check, "the user may do everything")
	}
	return diagnosis.Ok(check, "the user may do what is needed: %d of %d subjects", len(needs), len(needs))
}
