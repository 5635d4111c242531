// Package mrkdwn shows text in Slack's markup as HTML. Whatever the text is, the HTML has no other elements than b, i, s,
// code, pre, blockquote, br, span, time and a, with addresses that are http, https or mailto.
package mrkdwn

import (
	"html"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Names tell how those who are mentioned are called. A nil function, or "" from it, leaves the id.
type Names struct {
	User    func(id string) string
	Channel func(id string) string
	Group   func(id string) string
}

// maxDepth bounds emphasis within emphasis.
const maxDepth = 4

// HTML shows a text. It is safe whatever the text is.
func HTML(text string, names Names) template.HTML {
	r := renderer{names: names}
	r.blocks(strings.ToValidUTF8(text, "\uFFFD"))
	return template.HTML(r.out.String()) // #nosec G203: every text in it went through escape
}

// Plain shows a text without markup, as Slack does with plain_text: names of emoji and line breaks only.
func Plain(text string) template.HTML {
	escaped := html.EscapeString(strings.ToValidUTF8(text, "\uFFFD"))
	return template.HTML(strings.ReplaceAll(escaped, "\n", "<br>")) // #nosec G203: escaped
}

type renderer struct {
	out   strings.Builder
	names Names
}

// blocks shows code in fences as it is, and what is around it by lines.
func (r *renderer) blocks(text string) {
	const fence = "```"
	for {
		before, rest, opened := strings.Cut(text, fence)
		code, after, closed := strings.Cut(rest, fence)
		if !opened || !closed || code == "" {
			r.lines(text)
			return
		}
		r.lines(strings.TrimSuffix(before, "\n"))
		r.out.WriteString("<pre>" + r.escape(strings.Trim(code, "\n")) + "</pre>")
		if text = strings.TrimPrefix(after, "\n"); text == "" {
			return
		}
	}
}

// lines shows lines, those that begin with > as a quote.
func (r *renderer) lines(text string) {
	quoted, first := false, true
	for line := range strings.SplitSeq(text, "\n") {
		content, isQuote := strings.CutPrefix(line, "&gt;")
		switch {
		case isQuote && !quoted:
			r.out.WriteString("<blockquote>")
		case !isQuote && quoted:
			r.out.WriteString("</blockquote>")
		case !first:
			r.out.WriteString("<br>")
		}
		if isQuote {
			content = strings.TrimPrefix(content, " ")
		}
		quoted, first = isQuote, false
		r.inline(content, 0)
	}
	if quoted {
		r.out.WriteString("</blockquote>")
	}
}

// tags are the elements of emphasis.
var tags = map[byte]string{'*': "b", '_': "i", '~': "s", '`': "code"}

// inline shows a part of a line.
func (r *renderer) inline(text string, depth int) {
	hopeless := make(map[byte]bool) // marks without a closing one in the rest of the text
	lastEnd := strings.LastIndexByte(text, '>')
	for i := 0; i < len(text); {
		c := text[i]
		if tag := tags[c]; tag != "" && depth < maxDepth && !hopeless[c] && opens(text, i) {
			if end := closing(text, i, lastEnd); end > 0 {
				r.out.WriteString("<" + tag + ">")
				if c == '`' {
					r.out.WriteString(r.escape(text[i+1 : end]))
				} else {
					r.inline(text[i+1:end], depth+1)
				}
				r.out.WriteString("</" + tag + ">")
				i = end + 1
				continue
			}
			hopeless[c] = true
		}
		if c == '<' && !hopeless[c] {
			if end := strings.IndexByte(text[i:], '>'); end > 1 {
				r.reference(text[i+1 : i+end])
				i += end + 1
				continue
			}
			hopeless[c] = true
		}
		next := i + 1 + strings.IndexAny(text[i+1:], "*_~`<")
		if next == i {
			next = len(text)
		}
		r.out.WriteString(r.escape(text[i:next]))
		i = next
	}
}

// opens tells whether a mark may begin emphasis: not within a word, and with something after it.
func opens(text string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	after, size := utf8.DecodeRuneInString(text[i+1:])
	return (i == 0 || !isWord(before)) && size > 0 && !unicode.IsSpace(after) && after != rune(text[i])
}

// closing is where the emphasis that begins at i ends, or 0. It does not end within a reference or a word.
// lastEnd is where the last reference ends.
func closing(text string, i, lastEnd int) int {
	mark, inside := text[i], false
	for j := i + 1; j < len(text); j++ {
		switch c := text[j]; {
		case c == '<' && mark != '`':
			inside = lastEnd > j
		case c == '>':
			inside = false
		case c == mark && !inside && j > i+1:
			before, _ := utf8.DecodeLastRuneInString(text[:j])
			after, _ := utf8.DecodeRuneInString(text[j+1:])
			if !unicode.IsSpace(before) && (j+1 == len(text) || !isWord(after)) {
				return j
			}
		}
	}
	return 0
}

func isWord(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }

// reference shows what stands in angle brackets: a mention, a date or a link.
func (r *renderer) reference(content string) {
	target, label, labelled := strings.Cut(content, "|")
	switch {
	case strings.HasPrefix(target, "@"):
		r.mention("@", named(r.names.User, target[1:]), "")
	case strings.HasPrefix(target, "#"):
		if !labelled || label == "" {
			label = named(r.names.Channel, target[1:])
		}
		r.mention("#", label, "")
	case strings.HasPrefix(target, "!subteam^"):
		r.mention("@", named(r.names.Group, strings.TrimPrefix(target, "!subteam^")), "")
	case target == "!here", target == "!channel", target == "!everyone":
		r.mention("@", target[1:], " loud")
	case strings.HasPrefix(target, "!date^"):
		r.date(target, label)
	case strings.HasPrefix(target, "!"):
		r.out.WriteString(r.escape(orElse(label, target)))
	default:
		r.link(target, orElse(label, target))
	}
}

func named(name func(string) string, id string) string {
	if name != nil {
		if known := name(id); known != "" {
			return known
		}
	}
	return id
}

func orElse(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

func (r *renderer) mention(sign, name, class string) {
	r.out.WriteString(`<span class="mention` + class + `">` + sign + r.escape(strings.TrimPrefix(name, sign)) + `</span>`)
}

// date shows a moment by its fallback; a script may put it into the reader's zone.
func (r *renderer) date(target, fallback string) {
	parts := strings.SplitN(target, "^", 4)
	seconds, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || seconds < 0 || seconds > 253402300799 { // the end of the year 9999
		r.out.WriteString(r.escape(fallback))
		return
	}
	at := time.Unix(seconds, 0).UTC()
	fallback = orElse(fallback, at.Format("2006-01-02 15:04 UTC"))
	r.out.WriteString(`<time datetime="` + at.Format(time.RFC3339) + `">` + r.escape(fallback) + `</time>`)
}

// link shows a link that may be followed, or its label.
func (r *renderer) link(target, label string) {
	address := decode(target)
	u, err := url.Parse(address)
	followed := err == nil && (u.Scheme == "mailto" || (u.Scheme == "http" || u.Scheme == "https") && u.Host != "")
	if !followed {
		r.out.WriteString(r.escape(label))
		return
	}
	r.out.WriteString(`<a href="` + html.EscapeString(u.String()) + `" target="_blank" rel="noopener noreferrer">` + r.escape(label) + `</a>`)
}

var escapes = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// decode undoes the three escapes of Slack.
func decode(text string) string { return escapes.Replace(text) }

// escape is for everything that people wrote.
func (r *renderer) escape(text string) string { return html.EscapeString(decode(text)) }
