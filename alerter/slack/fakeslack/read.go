package fakeslack

import (
	"slices"
	"strconv"
	"strings"
)

// readable finds the channel of a request for history, or says why there is none. Unlike a post it must name the id.
func (s *Server) readable(id string) (*Channel, answer) {
	c := s.channel(id)
	if c == nil || c.ID != id || c.Private && c.NotMember {
		return nil, refuse("channel_not_found")
	}
	scope := "channels:history"
	if c.Private {
		scope = "groups:history"
	}
	switch {
	case !s.can(scope):
		return nil, missing(scope)
	case c.NotMember:
		return nil, refuse("not_in_channel")
	}
	return c, nil
}

// history is what the channel shows, newest first: what is in threads only if it was broadcast.
func (s *Server) history(args map[string]string) answer {
	c, refused := s.readable(args["channel"])
	if refused != nil {
		return refused
	}
	var found []*Message
	for _, m := range slices.Backward(s.messages) {
		if m.Channel == c.ID && (m.IsRoot() || m.Broadcast) && within(m.TS, args) {
			found = append(found, m)
		}
	}
	return page(found, args)
}

// replies are the root and what hangs below it, oldest first.
func (s *Server) replies(args map[string]string) answer {
	c, refused := s.readable(args["channel"])
	if refused != nil {
		return refused
	}
	root := s.message(args["ts"])
	if root == nil || root.Channel != c.ID {
		return refuse("thread_not_found")
	}
	found := []*Message{root}
	for _, m := range s.messages {
		if m.ThreadTS == root.TS && within(m.TS, args) {
			found = append(found, m)
		}
	}
	return page(found, args)
}

// within tells whether a message lies between oldest and latest. Timestamps of one length compare as text.
func within(ts string, args map[string]string) bool {
	inclusive := isTrue(args["inclusive"])
	oldest, latest := args["oldest"], args["latest"]
	return (oldest == "" || ts > oldest || inclusive && ts == oldest) && (latest == "" || ts < latest || inclusive && ts == latest)
}

// defaultLimit is the size of a page when the request names none.
const defaultLimit = 100

// page answers with the part of the messages that the cursor and the limit name.
func page(found []*Message, args map[string]string) answer {
	from, to, next := bounds(len(found), args)
	messages := []answer{}
	for _, m := range found[from:to] {
		messages = append(messages, m.object(isTrue(args["include_all_metadata"])))
	}
	return answer{"ok": true, "messages": messages, "has_more": next != "", "response_metadata": answer{"next_cursor": next}}
}

func bounds(n int, args map[string]string) (from, to int, next string) {
	limit, err := strconv.Atoi(args["limit"])
	if err != nil || limit <= 0 {
		limit = defaultLimit
	}
	from, _ = strconv.Atoi(args["cursor"]) // a cursor is ours, or it is the beginning
	from = min(max(from, 0), n)
	if to = min(from+limit, n); to < n {
		next = strconv.Itoa(to)
	}
	return from, to, next
}

func (s *Server) list(args map[string]string) answer {
	types := args["types"]
	if types == "" {
		types = "public_channel"
	}
	public, private := strings.Contains(types, "public_channel"), strings.Contains(types, "private_channel")
	switch {
	case public && !s.can("channels:read"):
		return missing("channels:read")
	case private && !s.can("groups:read"):
		return missing("groups:read")
	}
	var found []*Channel
	for _, c := range s.channels {
		if c.Private && private && !c.NotMember || !c.Private && public {
			found = append(found, c)
		}
	}
	from, to, next := bounds(len(found), args)
	channels := []answer{}
	for _, c := range found[from:to] {
		channels = append(channels, c.object())
	}
	return answer{"ok": true, "channels": channels, "response_metadata": answer{"next_cursor": next}}
}

func (s *Server) info(args map[string]string) answer {
	c, refused := s.visible(args["channel"])
	if refused != nil {
		return refused
	}
	return answer{"ok": true, "channel": c.object()}
}

// visible finds the channel of a request about a channel, by its id, or says why there is none.
func (s *Server) visible(id string) (*Channel, answer) {
	c := s.channel(id)
	switch {
	case c == nil || c.ID != id || c.Private && c.NotMember:
		return nil, refuse("channel_not_found")
	case !c.Private && !s.can("channels:read"):
		return nil, missing("channels:read")
	case c.Private && !s.can("groups:read"):
		return nil, missing("groups:read")
	}
	return c, nil
}

func (c *Channel) object() answer {
	return answer{"id": c.ID, "name": c.Name, "is_channel": !c.Private, "is_private": c.Private, "is_archived": c.Archived, "is_member": !c.NotMember}
}
