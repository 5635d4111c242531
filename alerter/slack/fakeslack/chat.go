package fakeslack

import (
	"encoding/json"
	"net/http"
)

func (s *Server) authTest(map[string]string) answer {
	return answer{
		"ok": true, "url": workspaceURL, "team": "Fake", "team_id": teamID, "user": "unconnected", "user_id": botUser, "bot_id": botID,
	}
}

// writable finds the channel of a post or an edit, or says why there is none.
func (s *Server) writable(name string) (*Channel, answer) {
	c := s.channel(name)
	switch {
	case !s.can("chat:write"):
		return nil, missing("chat:write")
	case c == nil, c.Private && c.NotMember:
		return nil, refuse("channel_not_found")
	case c.Archived:
		return nil, refuse("is_archived")
	case c.NotMember:
		return nil, refuse("not_in_channel")
	}
	return c, nil
}

func (s *Server) postMessage(args map[string]string) answer {
	c, refused := s.writable(args["channel"])
	if refused != nil {
		return refused
	}
	m := &Message{Channel: c.ID}
	if code := m.fill(args, maxPost); code != "" {
		return refuse(code)
	}
	m.ThreadTS = s.rootOf(c, args["thread_ts"])
	m.Broadcast = m.ThreadTS != "" && isTrue(args["reply_broadcast"])
	s.add(m)
	return answer{"ok": true, "channel": c.ID, "ts": m.TS, "message": m.object(false)}
}

// rootOf is the thread that a post with this thread_ts belongs to: "" when its root is gone, because Slack then posts
// to the channel. The caller holds mu.
func (s *Server) rootOf(c *Channel, ts string) string {
	m := s.message(ts)
	if m == nil && ts != "" {
		m = s.adopt(c, ts)
	}
	switch {
	case m == nil || m.Channel != c.ID:
		return ""
	case m.ThreadTS != "":
		return m.ThreadTS
	}
	return m.TS
}

func (s *Server) update(args map[string]string) answer {
	c, refused := s.writable(args["channel"])
	if refused != nil {
		return refused
	}
	if args["channel"] != c.ID {
		return refuse("channel_not_found") // an edit needs the id
	}
	m := s.message(args["ts"])
	switch {
	case m != nil && m.Channel != c.ID, m == nil && !s.adoptable(args["ts"]):
		return refuse("message_not_found")
	case m != nil && (m.Webhook || m.User != ""):
		return refuse("cant_update_message")
	}
	var changed Message
	if m != nil {
		changed = *m
	}
	if code := changed.fill(args, maxUpdate); code != "" {
		return refuse(code)
	}
	if m == nil {
		m = s.adopt(c, args["ts"])
		changed.Channel, changed.TS = m.Channel, m.TS
	}
	changed.Edits++
	*m = changed
	s.touch(m)
	return answer{"ok": true, "channel": c.ID, "ts": m.TS, "text": m.Text, "message": m.object(false)}
}

// fill takes the content over. What is left out stays as it was; an empty list or object takes it away.
func (m *Message) fill(args map[string]string, maxText int) (code string) {
	if text, ok := args["text"]; ok {
		m.Text = text
	}
	if blocks, ok := args["blocks"]; ok {
		m.Blocks = json.RawMessage(blocks)
	}
	if metadata, ok := args["metadata"]; ok {
		m.Metadata = json.RawMessage(metadata)
	}
	count, code := checkBlocks(m.Blocks)
	switch {
	case code != "":
		return code
	case length(m.Text) > maxText:
		return "msg_too_long"
	case m.Text == "" && count == 0:
		return "no_text"
	}
	if count == 0 {
		m.Blocks = nil
	}
	return m.checkMetadata()
}

func (m *Message) checkMetadata() (code string) {
	if m.Metadata == nil {
		return ""
	}
	var metadata struct {
		EventType    string         `json:"event_type"`
		EventPayload map[string]any `json:"event_payload"`
	}
	if json.Unmarshal(m.Metadata, &metadata) != nil {
		return "invalid_metadata_format"
	}
	if metadata.EventType == "" {
		m.Metadata = nil
	}
	return ""
}

// object is the message as answers contain it.
func (m *Message) object(metadata bool) answer {
	object := answer{"type": "message", "ts": m.TS, "text": m.Text}
	if m.User == "" {
		object["bot_id"], object["user"] = botID, botUser
	} else {
		object["user"] = m.User
	}
	if len(m.Files) > 0 {
		object["files"] = fileObjects(m.Files)
	}
	if m.ThreadTS != "" {
		object["thread_ts"] = m.ThreadTS
	}
	if m.Broadcast {
		object["subtype"] = "thread_broadcast"
	}
	if m.Blocks != nil {
		object["blocks"] = m.Blocks
	}
	if metadata && m.Metadata != nil {
		object["metadata"] = m.Metadata
	}
	if m.Edits > 0 {
		object["edited"] = answer{"user": botUser, "ts": m.TS}
	}
	return object
}

// webhook posts to the first channel. The caller holds mu.
func (s *Server) webhook(r *http.Request, _ string, args map[string]string) reply {
	if r.URL.Path != s.webhookPath() {
		return reply{status: http.StatusForbidden, body: "invalid_token", word: "invalid_token"}
	}
	c := s.channels[0]
	if c.Archived {
		return reply{status: http.StatusGone, body: "channel_is_archived", word: "channel_is_archived"}
	}
	m := &Message{Channel: c.ID, Webhook: true}
	if code := m.fill(args, maxPost); code != "" {
		return reply{status: http.StatusBadRequest, body: code, word: code}
	}
	s.add(m)
	return reply{body: "ok", word: "ok", ts: m.TS}
}

func isTrue(arg string) bool { return arg == "true" || arg == "1" }
