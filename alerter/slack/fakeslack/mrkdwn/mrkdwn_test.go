package mrkdwn_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack/mrkdwn"
)

var names = mrkdwn.Names{
	User:    func(id string) string { return map[string]string{"U1": "Ana", "U2": "<b>"}[id] },
	Channel: func(id string) string { return map[string]string{"C1": "noc"}[id] },
	Group:   func(id string) string { return map[string]string{"S1": "oncall"}[id] },
}

func TestHTML(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"words", "all is well", "all is well"},
		{"lines", "a\nb", "a<br>b"},
		{"bold", "*44 %* congestion", "<b>44 %</b> congestion"},
		{"italic", "a _b c_ d", "a <i>b c</i> d"},
		{"struck", "~a~", "<s>a</s>"},
		{"code", "`a *b* &lt;c&gt;`", "<code>a *b* &lt;c&gt;</code>"},
		{"a fence", "a\n```\nx *y*\nz\n```\nb", "a<pre>x *y*\nz</pre>b"},
		{"an open fence", "```a", "```a"},
		{"bold and italic", "*_a_ b*", "<b><i>a</i> b</b>"},
		{"two on a line", "*a* and *b*", "<b>a</b> and <b>b</b>"},
		{"in brackets", "(*a*), *b*.", "(<b>a</b>), <b>b</b>."},
		{"within a word", "no_such_thing 2*3*4", "no_such_thing 2*3*4"},
		{"with a blank after it", "* a *", "* a *"},
		{"across lines", "*a\nb*", "*a<br>b*"},
		{"beside an emoji", "🔴*a*🔴", "🔴<b>a</b>🔴"},
		{"a quote", "a\n&gt; b\n&gt;c\nd", "a<blockquote>b<br>c</blockquote>d"},
		{"a person", "<@U1>", `<span class="mention">@Ana</span>`},
		{"a stranger", "<@U9>", `<span class="mention">@U9</span>`},
		{"a hostile name", "<@U2>", `<span class="mention">@&lt;b&gt;</span>`},
		{"a channel", "<#C1>", `<span class="mention">#noc</span>`},
		{"a labelled channel", "<#C9|old>", `<span class="mention">#old</span>`},
		{"a group", "<!subteam^S1>", `<span class="mention">@oncall</span>`},
		{"everybody", "<!here>", `<span class="mention loud">@here</span>`},
		{"another command", "<!foo|bar>", "bar"},
		{"a link", "<https://example.com/?a=1&amp;b=2|the *page*>", `<a href="https://example.com/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">the *page*</a>`},
		{"a bare link", "<https://example.com/>", `<a href="https://example.com/" target="_blank" rel="noopener noreferrer">https://example.com/</a>`},
		{"a link in bold", "*<https://a.b/_x_|y>*", `<b><a href="https://a.b/_x_" target="_blank" rel="noopener noreferrer">y</a></b>`},
		{"a mark in an address", "*a <https://a.b/*|y> c*", `<b>a <a href="https://a.b/*" target="_blank" rel="noopener noreferrer">y</a> c</b>`},
		{"a script as a link", "<javascript:alert(1)|click>", "click"},
		{"data as a link", "<data:text/html,x>", "data:text/html,x"},
		{"a link out of its quotes", `<https://a.b/"onclick="x|y>`, `<a href="https://a.b/%22onclick=%22x" target="_blank" rel="noopener noreferrer">y</a>`},
		{"HTML", `<script>alert("x")</script>`, "scriptalert(&#34;x&#34;)/script"},
		{"escaped HTML", "&lt;img src=x onerror=alert(1)&gt; &amp;amp;", "&lt;img src=x onerror=alert(1)&gt; &amp;amp;"},
		{"entities that are not Slack's", "&quot; &#60;", "&amp;quot; &amp;#60;"},
		{"an open bracket", "a < b", "a &lt; b"},
		{"a date", "<!date^1700000000^{time}|then>", `<time datetime="2023-11-14T22:13:20Z">then</time>`},
		{"a date that is none", "<!date^x^{time}|then>", "then"},
		{"a date without more", "<!date^>", ""},
		{"bytes that are no text", "a\xffb", "a\uFFFDb"},
	}
	for _, c := range cases {
		if got := string(mrkdwn.HTML(c.text, names)); got != c.want {
			t.Errorf("%s: %q is shown as\n%s, want\n%s", c.name, c.text, got, c.want)
		}
	}
}

func TestPlain(t *testing.T) {
	if got := mrkdwn.Plain("*a* <@U1> & \"b\"\nc"); got != "*a* &lt;@U1&gt; &amp; &#34;b&#34;<br>c" {
		t.Errorf("the text is shown as %s", got)
	}
}

// TestLength: markup that is made to be slow is not.
func TestLength(t *testing.T) {
	for _, part := range []string{"*a ", "<a", "*<a ", "_*~", "```a", "`a ", "&gt;\n", "<@", "*a *b* ", "*_~`"} {
		began := time.Now()
		mrkdwn.HTML(strings.Repeat(part, 40000/len(part)), names)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("40,000 characters of %q take %v", part, took)
		}
	}
}

var (
	elements = []string{"b", "i", "s", "code", "pre", "blockquote", "br", "span", "time", "a"}
	address  = regexp.MustCompile(`^(https?://[^/]|mailto:)`)
)

// check reports what is not allowed in the HTML.
func check(html string) error {
	d := xml.NewDecoder(strings.NewReader("<x>" + strings.ReplaceAll(html, "<br>", "<br/>") + "</x>"))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local == "x" {
			continue
		}
		if !slices.Contains(elements, start.Name.Local) {
			return errors.New("the element " + start.Name.Local)
		}
		for _, a := range start.Attr {
			switch {
			case start.Name.Local == "a" && a.Name.Local == "href" && address.MatchString(a.Value):
			case start.Name.Local == "a" && slices.Contains([]string{"target", "rel"}, a.Name.Local):
			case start.Name.Local == "span" && a.Name.Local == "class" && strings.HasPrefix(a.Value, "mention"):
			case start.Name.Local == "time" && a.Name.Local == "datetime":
			default:
				return errors.New("the attribute " + a.Name.Local + "=" + a.Value)
			}
		}
	}
}

func FuzzHTML(f *testing.F) {
	for _, seed := range []string{
		"*a* _b_ ~c~ `d` ```e```", "<https://a.b/?x=\"|y>", "<javascript:alert(1)|x>", "&gt; *<@U2>*", "<!date^1^{time}^https://a.b|x>",
		`<img src=x onerror=alert(1)>`, "&lt;script&gt;", "*<a*>b*", "<http://[::1]/|x>", "<mailto:a@b.c|*x*>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range text { // XML has no place for them; a browser takes them
			if c < ' ' && c != '\n' && c != '\t' || c == '\uFFFE' || c == '\uFFFF' {
				return
			}
		}
		for _, shown := range []string{string(mrkdwn.HTML(text, names)), string(mrkdwn.Plain(text))} {
			if err := check(shown); err != nil {
				t.Errorf("%q is shown as %s: %v", text, shown, err)
			}
		}
	})
}
