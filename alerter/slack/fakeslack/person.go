package fakeslack

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// Types of envelopes.
const (
	typeInteractive = "interactive"
	typeSlash       = "slash_commands"
)

// Click uses a button or a menu of a message as this person, named by id or name, would, and waits for the ack. option is
// the value chosen from a menu. It fails at once when the person could not have clicked, and with [ErrNoSocket] when
// nobody would have heard it.
func (s *Server) Click(ctx context.Context, user, messageTS, actionID string, option ...string) (Envelope, error) {
	var build payloadBuilder
	err := func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		u, m := s.user(user), s.anyMessage(messageTS)
		switch {
		case u == nil:
			return ErrNoPerson
		case m == nil || m.To != "" && m.To != u.ID:
			return ErrNoMessage
		}
		f, ok := m.find(actionID)
		if !ok {
			return ErrNoElement
		}
		action, err := f.action(option, s.stamp())
		if err != nil {
			return err
		}
		build = func(base string) (any, responseURL) { return s.blockActions(u, m, action, base) }
		return nil
	}()
	if err != nil {
		return Envelope{}, err
	}
	return s.send(ctx, typeInteractive, build)
}

// action is what was done, as payloads say it.
func (f *found) action(chosen []string, ts string) (answer, error) {
	a := answer{"type": f.element.Type, "action_id": f.element.ActionID, "block_id": f.blockID, "action_ts": ts}
	switch f.element.Type {
	case "button":
		a["text"] = f.element.Text
		if f.element.Value != "" {
			a["value"] = f.element.Value
		}
		return a, nil
	case "static_select", "overflow":
		for _, o := range f.element.offered() {
			if len(chosen) == 1 && o.Value == chosen[0] {
				a["selected_option"] = o
				return a, nil
			}
		}
		return nil, ErrNoOption
	}
	return nil, ErrNoElement
}

// blockActions is the payload of a click. The caller holds mu.
func (s *Server) blockActions(u *User, m *Message, action answer, base string) (any, responseURL) {
	to := responseURL{channel: m.Channel, user: u.ID, ts: m.TS, thread: m.ThreadTS}
	payload := answer{
		"type": "block_actions", "api_app_id": appID, "token": "fake", "team": answer{"id": teamID, "domain": "fake"},
		"enterprise": nil, "is_enterprise_install": false,
		"user":       answer{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": teamID},
		"container":  answer{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": m.To != ""},
		"channel":    answer{"id": m.Channel, "name": s.channelName(m.Channel)},
		"trigger_id": s.stamp() + ".fake", "state": answer{"values": state(action)}, "actions": []answer{action},
		"response_url": base + s.newResponseURL(actionsPath, to),
	}
	if m.To == "" { // Slack keeps no ephemeral ones
		payload["message"] = m.object(true)
	}
	return payload, to
}

// state is what the menus of the message are set to.
func state(action answer) answer {
	if action["type"] != "static_select" {
		return answer{}
	}
	block, id := action["block_id"].(string), action["action_id"].(string)
	return answer{block: answer{id: answer{"type": "static_select", "selected_option": action["selected_option"]}}}
}

// Slash gives a slash command ("/unconnected") in a channel as this person, named by id or name, would, and waits for the
// ack. What the ack carries, the person sees (see [Server.Ephemeral]).
func (s *Server) Slash(ctx context.Context, user, channel, command, text string) (Envelope, error) {
	u := s.user(user)
	s.mu.Lock()
	c := s.channel(channel)
	allowed := s.can("commands")
	s.mu.Unlock()
	switch {
	case u == nil:
		return Envelope{}, ErrNoPerson
	case c == nil:
		return Envelope{}, ErrNoChannel
	case !allowed:
		return Envelope{}, ErrNoSocket // without the scope the app has no command
	}
	return s.send(ctx, typeSlash, func(base string) (any, responseURL) {
		to := responseURL{channel: c.ID, user: u.ID}
		return answer{
			"token": "fake", "team_id": teamID, "team_domain": "fake", "channel_id": c.ID, "channel_name": c.Name,
			"user_id": u.ID, "user_name": u.Name, "command": command, "text": text, "api_app_id": appID,
			"is_enterprise_install": "false", "trigger_id": s.stamp() + ".fake",
			"response_url": base + s.newResponseURL(commandsPath, to),
		}, to
	})
}

// Repeat sends an envelope again that may have been acknowledged, as Slack does when an ack is lost on the way, and waits
// for its ack. It has the same id and payload.
func (s *Server) Repeat(ctx context.Context, sent Envelope) (Envelope, error) {
	var known struct {
		Container struct {
			MessageTS string `json:"message_ts"`
		} `json:"container"`
	}
	if err := json.Unmarshal(sent.Payload, &known); err != nil {
		return sent, err
	}
	e := &envelope{Envelope: Envelope{ID: sent.ID, Type: sent.Type, Payload: sent.Payload, Attempts: 1, SentAt: sent.SentAt}}
	e.url.ts = known.Container.MessageTS
	return s.await(ctx, e, "timeout")
}

// Connections is how many sockets take envelopes.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets.ready())
}

// DropSockets breaks all connections without a word.
func (s *Server) DropSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Clone(s.sockets.open) {
		c.end()
		s.part(c)
	}
}

// FreezeSockets keeps connections open but says nothing on them any more, not even pings, as a network does that loses
// everything; false lets it through again. What was to be said meanwhile is lost; envelopes are sent again as ever.
func (s *Server) FreezeSockets(frozen bool) { s.frozen.Store(frozen) }

// DisconnectSockets asks all connections to leave for this reason: "refresh_requested", which Slack says every few hours,
// "warning", which it says some seconds before, or "link_disabled". But for "warning" they get no more envelopes, and are
// broken after the time for an ack.
func (s *Server) DisconnectSockets(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.sockets.open {
		if c.leaving = reason != "warning"; c.leaving {
			time.AfterFunc(s.options.AckWait, c.end)
		}
		c.write(answer{"type": "disconnect", "reason": reason, "debug_info": answer{"host": "fake"}})
	}
	s.version++
	s.tell()
}

// RefuseSockets lets apps.connections.open answer with this error, for a token that is right too; "" lets it work again.
func (s *Server) RefuseSockets(code string) {
	s.change(func() { s.sockets.refused = code })
}

// channelName is what a channel is called now. The caller holds mu.
func (s *Server) channelName(id string) string {
	if i := slices.IndexFunc(s.channels, func(c *Channel) bool { return c.ID == id }); i >= 0 {
		return s.channels[i].Name
	}
	return ""
}
