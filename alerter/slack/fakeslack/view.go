package fakeslack

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"html/template"
	"slices"
	"strings"
	"time"

	"unconnected/alerter/slack/fakeslack/mrkdwn"
)

// view is what the page shows of a channel.
type view struct {
	Channel   *Channel
	Channels  []*Channel
	You       *User
	Connected bool // buttons work
	Messages  []messageView
	Words     *words
}

// messageView is a message as people see it.
type messageView struct {
	ID       string // of the HTML element
	TS       string
	Author   string
	App      bool   // the author
	Initial  string // for the picture of a person
	At       time.Time
	Edited   bool
	Private  bool // only you see it
	ReplyTo  string
	ReplyTS  string // of the root, for a reply that the channel shows too
	Mentions bool   // you
	Text     template.HTML
	Blocks   []blockView
	Files    []fileView
	Replies  []messageView
	Words    *words
	hash     uint64 // of everything but the replies
}

type fileView struct {
	ID, Title, AltText string
	Image              bool
	Size               string
}

// scene is what a page is made of, taken at one moment, so that making it holds nobody up.
type scene struct {
	*Server   // for what does not change: people and groups
	connected bool
	names     mrkdwn.Names
	messages  []Message // of the channel that you see, by ts
	roots     map[string]*Message
}

// view is what the page shows now of a channel, named by id; of the first one if there is no such.
func (s *Server) view(channel string) view {
	v, sc := s.look(channel)
	slices.SortStableFunc(sc.messages, func(a, b Message) int { return cmp.Compare(micro(a.TS), micro(b.TS)) })
	for i, m := range sc.messages {
		if m.IsRoot() {
			sc.roots[m.TS] = &sc.messages[i]
		}
	}
	v.Messages = sc.threads()
	return v
}

// look takes what the view needs.
func (s *Server) look(channel string) (view, scene) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := view{Channel: &Channel{}, You: s.you(), Words: s.words(), Connected: len(s.sockets.ready()) > 0}
	called := make(map[string]string)
	for i, c := range s.channels {
		known := *c
		v.Channels = append(v.Channels, &known)
		called[known.ID] = known.Name
		if i == 0 || known.ID == channel {
			v.Channel = &known
		}
	}
	sc := scene{Server: s, connected: v.Connected, names: s.names(called), roots: make(map[string]*Message)}
	for _, m := range slices.Concat(s.messages, s.whispers) {
		if m.Channel == v.Channel.ID && (m.To == "" || m.To == v.You.ID) {
			sc.messages = append(sc.messages, *m)
		}
	}
	return v, sc
}

// threads are the messages, replies below their roots.
func (sc *scene) threads() []messageView {
	replies := make(map[string][]messageView)
	for _, m := range sc.messages {
		if !m.IsRoot() {
			replies[m.ThreadTS] = append(replies[m.ThreadTS], sc.messageView(&m))
		}
	}
	var shown []messageView
	for _, m := range sc.messages {
		if !m.IsRoot() && !m.Broadcast {
			continue
		}
		mv := sc.messageView(&m)
		if m.IsRoot() {
			mv.Replies = replies[m.TS]
		} else {
			mv.ID, mv.ReplyTS, mv.ReplyTo = "b"+m.TS, m.ThreadTS, mv.Words.Gone
			if root := sc.roots[m.ThreadTS]; root != nil {
				mv.ReplyTo = root.headline()
			}
		}
		shown = append(shown, mv)
	}
	return shown
}

// messageView is one message.
func (sc *scene) messageView(m *Message) messageView {
	mv := messageView{
		ID: "m" + m.TS, TS: m.TS, Author: "unconnected", App: true, At: time.UnixMicro(micro(m.TS)).UTC(),
		Words: sc.words(), Edited: m.Edits > 0, Private: m.To != "", Mentions: mentions(m, sc.you().ID), Blocks: sc.blockViews(m),
	}
	if m.User != "" {
		mv.App, mv.Author = false, m.User
		if u := sc.user(m.User); u != nil {
			mv.Author = u.realName()
		}
		mv.Initial = strings.ToUpper(string([]rune(mv.Author)[:1]))
	}
	if len(mv.Blocks) == 0 {
		mv.Text = mrkdwn.HTML(m.Text, sc.names)
	}
	for _, f := range m.Files {
		mv.Files = append(mv.Files, fileView{
			ID: f.ID, Title: f.Title, AltText: cmp.Or(f.AltText, f.Title), Image: shownImages[f.Type],
			Size: fmt.Sprintf("%.1f kB", float64(len(f.Data))/1000),
		})
	}
	h := fnv.New64a()
	fmt.Fprint(h, sc.connected, m.Edits, len(m.Files), m.Text, string(m.Blocks)) // a hash takes everything
	mv.hash = h.Sum64()
	return mv
}

// mentions tells whether a message calls for somebody.
func mentions(m *Message, user string) bool {
	for _, sign := range []string{"<@" + user + ">", "<!here", "<!channel", "<!everyone"} {
		// encoding/json writes brackets as \u003c and \u003e.
		escaped := strings.NewReplacer("<", `\u003c`, ">", `\u003e`).Replace(sign)
		blocks := string(m.Blocks)
		if strings.Contains(m.Text, sign) || strings.Contains(blocks, sign) || strings.Contains(blocks, escaped) {
			return true
		}
	}
	return false
}

// maxHeadline is how much of a message others quote, in characters.
const maxHeadline = 80

// headline is a message in a line.
func (m *Message) headline() string {
	line := m.Text
	for _, b := range m.blocks() {
		if b.Type == "header" && b.Text != nil {
			line = b.Text.Text
			break
		}
	}
	line, _, _ = strings.Cut(line, "\n")
	if runes := []rune(line); len(runes) > maxHeadline {
		line = string(runes[:maxHeadline-1]) + "…"
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(line)
}

// names tell how those are called who are mentioned; channels are :: id → name.
func (s *Server) names(channels map[string]string) mrkdwn.Names {
	return mrkdwn.Names{
		User: func(id string) string {
			if id == botUser {
				return "unconnected"
			}
			if u := s.user(id); u != nil {
				return u.realName()
			}
			return ""
		},
		Channel: func(id string) string { return channels[id] },
		Group: func(id string) string {
			if g := s.group(id); g != nil {
				return g.Handle
			}
			return ""
		},
	}
}

// Version tells whether a message on a page is as it is now, its thread included.
func (m messageView) Version() string {
	h := fnv.New64a()
	fmt.Fprint(h, m.hash, m.ReplyTo) // a hash takes everything
	for _, reply := range m.Replies {
		fmt.Fprint(h, reply.TS, " ", reply.hash, " ")
	}
	return fmt.Sprintf("%x", h.Sum64())
}

// Clock is when the message was written, for browsers.
func (m messageView) Clock() string { return m.At.Format(time.RFC3339) }

// UTC is when the message was written, for people without a script.
func (m messageView) UTC() string { return m.At.Format("15:04 UTC") }

// LastReply is when the newest reply was written, for browsers.
func (m messageView) LastReply() messageView { return m.Replies[len(m.Replies)-1] }
