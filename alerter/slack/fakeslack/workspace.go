package fakeslack

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// botUser and botID are what the app is in the workspace.
const (
	botUser = "U000FAKE"
	botID   = "B000FAKE"
	teamID  = "T000FAKE"
	appID   = "A000FAKE"
)

// Channel is a channel of the workspace.
type Channel struct {
	ID, Name  string // "C0000001", "noc"
	Private   bool
	Archived  bool
	NotMember bool     // the bot was not invited
	Members   []string // ids of people; nil for everybody
}

// User is a person of the workspace.
type User struct {
	ID, Name string // "U0000001", "ana"
	RealName string // "" for the name
	TZ       string // IANA name; "" for America/Bogota
	Deleted  bool
	Bot      bool
}

// UserGroup is a group of people who can be mentioned together.
type UserGroup struct {
	ID, Handle string   // "S0000001", "noc"
	Users      []string // ids
	Disabled   bool
}

func defaultUsers() []User {
	return []User{{ID: "U0000001", Name: "ana", RealName: "Ana Torres"}, {ID: "U0000002", Name: "luis", RealName: "Luis Rojas"}}
}

// channel finds a channel by id or name. The caller holds mu.
func (s *Server) channel(name string) *Channel {
	name = strings.TrimPrefix(name, "#")
	for _, c := range s.channels {
		if c.ID == name || c.Name == name {
			return c
		}
	}
	return nil
}

// user finds a person by id or name. Options do not change, so no lock is needed.
func (s *Server) user(name string) *User {
	name = strings.TrimPrefix(name, "@")
	for i, u := range s.options.Users {
		if u.ID == name || u.Name == name {
			return &s.options.Users[i]
		}
	}
	return nil
}

func (s *Server) group(id string) *UserGroup {
	for i, g := range s.options.Groups {
		if g.ID == id {
			return &s.options.Groups[i]
		}
	}
	return nil
}

// members are the ids of those who are in a channel, the bot among them. The caller holds mu.
func (s *Server) members(c *Channel) []string {
	ids := slices.Clone(c.Members)
	if c.Members == nil {
		for _, u := range s.options.Users {
			ids = append(ids, u.ID)
		}
	}
	if !c.NotMember {
		ids = append(ids, botUser)
	}
	return ids
}

func (s *Server) conversationMembers(args map[string]string) answer {
	c, refused := s.visible(args["channel"])
	if refused != nil {
		return refused
	}
	ids := s.members(c)
	from, to, next := bounds(len(ids), args)
	return answer{"ok": true, "members": append([]string{}, ids[from:to]...), "response_metadata": answer{"next_cursor": next}}
}

func (s *Server) userInfo(args map[string]string) answer {
	if !s.can("users:read") {
		return missing("users:read")
	}
	u := s.user(args["user"])
	if u == nil || u.ID != args["user"] {
		return refuse("user_not_found")
	}
	return answer{"ok": true, "user": u.object(s.now())}
}

func (s *Server) groupUsers(args map[string]string) answer {
	if !s.can("usergroups:read") {
		return missing("usergroups:read")
	}
	g := s.group(args["usergroup"])
	if g == nil || g.Disabled && !isTrue(args["include_disabled"]) {
		return refuse("no_such_subteam")
	}
	return answer{"ok": true, "users": append([]string{}, g.Users...)}
}

// realName is how the person is called.
func (u *User) realName() string { return cmp.Or(u.RealName, u.Name, u.ID) }

func (u *User) object(now time.Time) answer {
	object := answer{
		"id": u.ID, "team_id": teamID, "name": u.Name, "real_name": u.realName(), "deleted": u.Deleted, "is_bot": u.Bot,
		"profile": answer{"real_name": u.realName(), "display_name": u.Name},
	}
	zone := cmp.Or(u.TZ, "America/Bogota")
	object["tz"] = zone
	if location, err := time.LoadLocation(zone); err == nil {
		_, offset := now.In(location).Zone()
		object["tz_offset"] = offset
	}
	return object
}
