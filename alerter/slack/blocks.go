package slack

import (
	"net/url"
	"strings"

	"github.com/slack-go/slack"
)

// Blocks is the message in the form of Block Kit, within Slack's limits whatever the texts are.
func (m *Message) Blocks() []slack.Block {
	if m.Brief {
		return m.briefBlocks()
	}
	blocks := []slack.Block{
		slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, cutEscaped(m.Icon+" "+m.Headline, limitHeader), true, false)),
	}
	if len(m.Mentions) > 0 {
		blocks = append(blocks, section(strings.Join(m.Mentions, " ")))
	}
	blocks = appendSection(blocks, fit(append(escapeLines(m.Status), m.facts()...), limitSection, m.more()))
	blocks = appendSection(blocks, m.others())
	blocks = appendSection(blocks, m.advice())
	return m.appendFoot(blocks)
}

// appendFoot adds the small print and the buttons.
func (m *Message) appendFoot(blocks []slack.Block) []slack.Block {
	if notes := fit(escapeLines(m.Notes), limitNotes, m.more()); notes != "" {
		blocks = append(blocks, slack.NewContextBlock("", mrkdwn(notes)))
	}
	if buttons := m.Buttons.block(m.Link); buttons != nil {
		blocks = append(blocks, buttons)
	}
	return blocks
}

// briefBlocks are the form of a post in a thread: it is also shown in the channel, so it says the headline, too.
func (m *Message) briefBlocks() []slack.Block {
	head := cutEscaped(m.Icon+" "+m.Headline, limitLine)
	if len(m.Mentions) > 0 {
		head = strings.Join(m.Mentions, " ") + " " + head
	}
	lines := append([]string{head}, m.facts()...)
	lines = append(append(lines, escapeLines(m.Status)...), escapeLines(m.Others)...)
	return m.appendFoot([]slack.Block{section(fit(lines, limitSection, m.more()))})
}

func (m *Message) facts() []string {
	lines := make([]string, 0, len(m.Facts))
	for _, f := range m.Facts {
		line := cutEscaped(f.Text, limitLine)
		if f.Strong != "" {
			// The blank between the two would be lost in cleaning; emphasis must not end beside a letter anyway.
			line = strings.TrimSpace("*" + strings.ReplaceAll(cutEscaped(f.Strong, limitLine), "*", "") + "* " + line)
		}
		lines = append(lines, line)
	}
	return lines
}

func (m *Message) others() string {
	lines := escapeLines(m.Others)
	if len(lines) > 0 && m.OthersTitle != "" {
		lines = append([]string{"*" + escape(m.OthersTitle) + "*"}, lines...)
	}
	return fit(lines, limitOthers, m.more())
}

func (m *Message) advice() string {
	lines := escapeLines(m.Advice)
	if link := m.Link.mrkdwn(); link != "" && !m.Buttons.any() {
		lines = append(lines, link)
	}
	return fit(lines, limitAdvice, m.more())
}

// mrkdwn is the link in Slack's form, or "" when its address is none that a person should follow.
func (l Link) mrkdwn() string {
	address := l.address()
	if address == "" {
		return ""
	}
	return "<" + strings.ReplaceAll(address, "&", "&amp;") + "|" + strings.ReplaceAll(escape(l.Text), "|", "¦") + ">"
}

// address is where the link leads, or "" when a person should not follow it. A bar or an angle bracket would end it in
// Slack's form, and an at sign has no business in it.
func (l Link) address() string {
	u, err := url.Parse(l.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(l.URL) > limitLine {
		return ""
	}
	return strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E", "@", "%40").Replace(u.String())
}

func escapeLines(lines []string) []string {
	escaped := make([]string, len(lines))
	for i, line := range lines {
		escaped[i] = cutEscaped(line, limitLine)
	}
	return escaped
}

func appendSection(blocks []slack.Block, text string) []slack.Block {
	if text == "" {
		return blocks
	}
	return append(blocks, section(text))
}

func section(text string) *slack.SectionBlock { return slack.NewSectionBlock(mrkdwn(text), nil, nil) }

// mrkdwn is a text in which nothing is looked for: by default Slack would turn plain names and addresses into mentions
// and links.
func mrkdwn(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
}
