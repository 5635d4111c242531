package doctor

import (
	"slices"
	"strings"

	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/internal/natsroles"
)

// mayLook tells whether a role may look at a stream.
func mayLook(role *natsroles.Role, stream string) bool {
	subject := "$JS.API.STREAM.INFO." + stream
	return slices.ContainsFunc(role.Publish, func(pattern string) bool { return covers(pattern, subject) })
}

// partsOf are the roles that streams are held against: those of the programs that the environment is for, or else those whose rights
// the user has, such as a reader's. u is nil when the server does not tell who we are.
func partsOf(u *user, configured []natsroles.Role) []natsroles.Role {
	if len(configured) > 0 || u == nil {
		return configured
	}
	return slices.DeleteFunc(natsroles.Roles(), func(r natsroles.Role) bool { return len(lacking(u, &r)) > 0 })
}

// judgeUnseen says what it means that a user may not look at streams: nothing where its part is not to see them. Check is what the
// findings are about, parts are what the user has to do.
func judgeUnseen(check string, unseen []string, err error, parts []natsroles.Role) diagnosis.Findings {
	var all, some, none []string // of the parts need it
	var found diagnosis.Findings
	for _, stream := range unseen {
		needed := 0
		for i := range parts {
			if mayLook(&parts[i], stream) {
				needed++
			}
		}
		switch {
		case needed > 0 && needed == len(parts):
			all = append(all, stream)
		case needed > 0 || len(parts) == 0:
			some = append(some, stream)
		default:
			none = append(none, stream)
		}
	}
	if len(all) > 0 {
		found = append(found, diagnosis.Fail(check, "give this user the rights that `unconnected streams users` prints for the "+strings.Join(namesOf(parts), " and the "),
			"this user may not look at %s: %v", named(all), err))
	}
	if len(some) > 0 {
		found = append(found, diagnosis.Warn(check, "right for a user that has nothing to do with it; `unconnected streams users` prints what each kind of user needs",
			"this user may not look at %s: %v", named(some), err))
	}
	if len(none) > 0 {
		found = append(found, diagnosis.Skip(check, "look with the user of the "+strings.Join(whoLooks(none), ", or of the "),
			"%s: not for the %s to see", named(none), strings.Join(namesOf(parts), " or the ")))
	}
	return found
}

// whoLooks names the roles that may look at all of some streams.
func whoLooks(streams []string) []string {
	roles := slices.DeleteFunc(natsroles.Roles(), func(r natsroles.Role) bool {
		return slices.ContainsFunc(streams, func(stream string) bool { return !mayLook(&r, stream) })
	})
	return namesOf(roles)
}

func namesOf(roles []natsroles.Role) (names []string) {
	for i := range roles {
		names = append(names, roles[i].Name)
	}
	return names
}

// named are streams by the names that people know: buckets by theirs.
func named(streams []string) string {
	names := slices.Clone(streams)
	for i, stream := range names {
		names[i] = strings.TrimPrefix(stream, natsio.StreamOf(""))
	}
	return strings.Join(names, ", ")
}
