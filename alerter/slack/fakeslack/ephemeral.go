package fakeslack

import (
	"net/url"
	"slices"
	"strings"
)

// workspaceURL is where permalinks lead when there is no page.
const workspaceURL = "https://fake.slack.com/"

func (s *Server) postEphemeral(args map[string]string) answer {
	c, refused := s.writable(args["channel"])
	if refused != nil {
		return refused
	}
	u := s.user(args["user"])
	if u == nil || u.ID != args["user"] || !slices.Contains(s.members(c), u.ID) {
		return refuse("user_not_in_channel")
	}
	m := &Message{Channel: c.ID, To: u.ID}
	if code := m.fill(args, maxPost); code != "" {
		return refuse(code)
	}
	m.ThreadTS = s.rootOf(c, args["thread_ts"])
	s.whisper(m)
	return answer{"ok": true, "message_ts": m.TS}
}

func (s *Server) permalink(args map[string]string) answer {
	c := s.channel(args["channel"])
	if c == nil || c.ID != args["channel"] || c.Private && c.NotMember {
		return refuse("channel_not_found")
	}
	m := s.message(args["message_ts"])
	if m == nil || m.Channel != c.ID {
		return refuse("message_not_found")
	}
	return answer{"ok": true, "channel": c.ID, "permalink": s.linkTo(m)}
}

// linkTo is the address of a message, on the page if there is one.
func (s *Server) linkTo(m *Message) string {
	if s.options.PageURL != "" {
		return s.options.PageURL + "?channel=" + url.QueryEscape(m.Channel) + "#m" + m.TS
	}
	link := workspaceURL + "archives/" + m.Channel + "/p" + strings.Replace(m.TS, ".", "", 1)
	if m.ThreadTS != "" {
		link += "?thread_ts=" + m.ThreadTS + "&cid=" + m.Channel
	}
	return link
}
