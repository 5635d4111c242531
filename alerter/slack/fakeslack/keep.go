package fakeslack

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is remembered although nobody asked for it to be kept.
const (
	maxUploads   = 20   // under way
	maxResponses = 1000 // addresses handed out
)

// add gives the message its ts, the time and never the same twice, and shows it. The caller holds mu.
func (s *Server) add(m *Message) {
	m.TS = s.stamp()
	s.messages = append(s.messages, m)
	s.touch(m)
	s.forget()
}

// whisper shows a message to one person. The caller holds mu.
func (s *Server) whisper(m *Message) {
	m.TS = s.stamp()
	s.whispers = append(s.whispers, m)
	s.touch(m)
	if s.options.Keep > 0 {
		s.whispers = newest(s.whispers, s.options.Keep)
	}
}

// touch notes that a message is another now. The caller holds mu.
func (s *Server) touch(m *Message) {
	s.touched = m.TS
	s.version++
}

// record writes the ledger. The caller holds mu.
func (s *Server) record(r Request) {
	s.ledger = append(s.ledger, r)
	if s.options.Keep > 0 {
		s.ledger = newest(s.ledger, s.options.Keep)
	}
}

// newest leaves the last n, and lets go of the others.
func newest[E any](all []E, n int) []E { return slices.Delete(all, 0, max(0, len(all)-n)) }

// forget lets the oldest messages go, a thread from its oldest reply on, its root last. The caller holds mu.
func (s *Server) forget() {
	for s.options.Keep > 0 && len(s.messages) > s.options.Keep {
		victim, root := 0, s.messages[0].TS
		if reply := slices.IndexFunc(s.messages, func(m *Message) bool { return m.ThreadTS == root }); reply >= 0 {
			victim = reply
		}
		s.messages = slices.Delete(s.messages, victim, victim+1)
	}
}

// Adopted is the text of a message of which only a reply is known.
const Adopted = "_This message is from before this Slack preview was started._"

var validTS = regexp.MustCompile(`^[0-9]{1,12}\.[0-9]{6}$`)

func (s *Server) adoptable(ts string) bool { return s.options.Adopt && validTS.MatchString(ts) }

// adopt shows a message that is not there, at its time, or returns nil. The caller holds mu.
func (s *Server) adopt(c *Channel, ts string) *Message {
	if !s.adoptable(ts) {
		return nil
	}
	m := &Message{Channel: c.ID, TS: ts, Text: Adopted}
	at := micro(ts)
	s.last = max(s.last, at)
	i, _ := slices.BinarySearchFunc(s.messages, at, func(m *Message, at int64) int { return int(micro(m.TS) - at) })
	s.messages = slices.Insert(s.messages, i, m)
	s.touch(m)
	return m
}

// stamp is the ts of what is posted now. The caller holds mu.
func (s *Server) stamp() string {
	s.last = max(s.last+1, s.now().UnixMicro())
	return stamp(s.last)
}

func stamp(micro int64) string {
	return fmt.Sprintf("%d.%06d", micro/int64(time.Second/time.Microsecond), micro%int64(time.Second/time.Microsecond))
}

// micro is the inverse of stamp.
func micro(ts string) int64 {
	n, _ := strconv.ParseInt(strings.Replace(ts, ".", "", 1), 10, 64) // a ts is ours or was checked
	return n
}

// message finds a message that everybody sees. The caller holds mu.
func (s *Server) message(ts string) *Message {
	for _, m := range s.messages {
		if m.TS == ts {
			return m
		}
	}
	return nil
}
