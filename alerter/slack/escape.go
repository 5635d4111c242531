package slack

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text of unknown origin fit to be shown: valid UTF-8, one line, no control characters and no characters that
// turn the direction of writing, single blanks. A plain "@here" is broken with an invisible joiner: some ways of parsing
// would make it ring.
func clean(s string) string {
	var b strings.Builder
	blank := false
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case unicode.IsSpace(r) && r != nbsp, unicode.IsControl(r):
			blank = b.Len() > 0
			continue
		case invisible(r):
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	return everybody.ReplaceAllString(b.String(), "@\u2060$1")
}

// everybody matches the words that ring a whole channel.
var everybody = regexp.MustCompile(`(?i)@(here|channel|everyone|group)`)

// invisible tells whether r changes how others are shown without being seen. The joiner of emoji is kept.
func invisible(r rune) bool {
	const joiner = '\u200D'
	return r != joiner && unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape cleans text and takes their meaning from the characters that Slack gives one: with these escaped, no link and no
// mention can be written.
func escape(s string) string { return entities.Replace(clean(s)) }

// units is how long Slack counts a text to be. It speaks of characters; UTF-16 units are the careful reading.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += 1 + (utf8.RuneLen(r) / 4)
	}
	return n
}

// cutEscaped is escape(s), cut so that it is at most limit long; a cut shows as "…" and never splits an entity.
func cutEscaped(s string, limit int) string {
	s = clean(s)
	if escaped := entities.Replace(s); units(escaped) <= limit {
		return escaped
	}
	var b strings.Builder
	left := limit - 1
	for _, r := range s {
		e := entities.Replace(string(r))
		if left -= units(e); left < 0 {
			break
		}
		b.WriteString(e)
	}
	return strings.TrimRight(b.String(), " ") + "…"
}

// cutRunes cuts s to at most limit characters; a cut shows as "…".
func cutRunes(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// fit joins lines that are fit to be sent, as many as the limit allows, and says how many more there are.
func fit(lines []string, limit int, more string) string {
	sizes := make([]int, len(lines)+1) // of the first lines, each with the break that follows it
	for i, line := range lines {
		sizes[i+1] = sizes[i] + units(line) + 1
	}
	for n := len(lines); n > 0; n-- {
		rest := ""
		if n < len(lines) {
			rest = "\n" + fmt.Sprintf(more, len(lines)-n)
		}
		if sizes[n]-1+units(rest) <= limit {
			return strings.Join(lines[:n], "\n") + rest
		}
	}
	return ""
}

// The ways to write whom to mention: as in Slack's own messages, with an at sign, or the bare id.
var (
	mentionAll   = regexp.MustCompile(`^(?:@|<!)?(here|channel|everyone)>?$`)
	mentionUser  = regexp.MustCompile(`^(?:<?@)?([UW][A-Z0-9]{2,})>?$`)
	mentionGroup = regexp.MustCompile(`^(?:<!subteam\^|@)?(S[A-Z0-9]{2,})>?$`)
)

// ParseMention gives a mention from the configuration the form that rings: @here, @channel and @everyone, the id of a
// user (U… or W…), the id of a user group (S…). ok is false for anything else; a name such as @ana cannot ring.
func ParseMention(s string) (mention string, ok bool) {
	s = strings.TrimSpace(s)
	if m := mentionAll.FindStringSubmatch(s); m != nil {
		return "<!" + m[1] + ">", true
	}
	if m := mentionUser.FindStringSubmatch(s); m != nil {
		return "<@" + m[1] + ">", true
	}
	if m := mentionGroup.FindStringSubmatch(s); m != nil {
		return "<!subteam^" + m[1] + ">", true
	}
	return "", false
}
