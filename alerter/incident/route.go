package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"unconnected/events"
)

// Routes splits an incident into what each channel is told of: channel as configured → the incident with the alerts that
// belong there. An alert belongs to the channels whose records already speak of it, so that a message in Slack is brought
// to its end when its rule has been changed or removed; else to the channel that is configured for its rule now, under the name
// that a record has for it. A drill may name its channel itself.
//
// records are those of this incident; channel names the configured channel of a rule, the default one for an unknown
// rule. A channel that has a record is always in the result.
func Routes(inc *Incident, records []Record, channel func(rule string) string) map[string]Incident {
	routes := make(map[string][]string) // :: channel → its rules
	for _, rec := range records {
		routes[rec.Channel] = nil
	}
	for _, s := range inc.Alerts {
		for _, c := range channelsOf(&s, records, channel) {
			routes[c] = append(routes[c], s.Rule())
		}
	}
	parts := make(map[string]Incident, len(routes))
	for c, rules := range routes {
		parts[c] = inc.Only(func(rule string) bool { return slices.Contains(rules, rule) })
	}
	return parts
}

func channelsOf(s *State, records []Record, channel func(string) string) []string {
	var channels []string
	for _, rec := range records {
		if slices.Contains(rec.Rules, s.Rule()) {
			channels = append(channels, rec.Channel)
		}
	}
	if channels != nil {
		return channels
	}
	if wanted := s.Latest.Labels[events.LabelChannel]; wanted != "" && s.Latest.IsDrill() {
		return []string{wanted}
	}
	wanted := channel(s.Rule())
	for _, rec := range records {
		if SameChannel(rec.Channel, wanted) || rec.ChannelID == wanted {
			return []string{rec.Channel} // which may have been called otherwise when it was first told
		}
	}
	return []string{wanted}
}

// SameChannel tells whether two settings name one channel: Slack takes its name with # and without.
func SameChannel(a, b string) bool { return strings.TrimPrefix(a, "#") == strings.TrimPrefix(b, "#") }

// Key is the key of a Record in a bucket: the same for the same incident and channel, and made only of what a key of
// NATS may hold. All records of an incident begin with [KeyPrefix].
func Key(incident, channel string) string { return KeyPrefix(incident) + digest(channel) }

// KeyPrefix is how the keys of all records of one incident begin.
func KeyPrefix(incident string) string { return digest(incident) + "." }

// digest is short, and long enough that no two names in one bucket meet.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:10])
}
