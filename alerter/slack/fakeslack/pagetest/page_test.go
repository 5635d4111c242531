//go:build browser

package pagetest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"unconnected/alerter/slack/fakeslack"
)

// firing is a message as alerter/slack composes them, with what it may have beside.
const firing = `[
	{"type":"header","text":{"type":"plain_text","text":"🔴 Firing: Congestion 44% · Ventas Bogotá","emoji":true}},
	{"type":"section","text":{"type":"mrkdwn","text":"<!here> <@U0000001>"}},
	{"type":"section","text":{"type":"mrkdwn","text":"*44%* congestion (476 of 1,073 unconnected calls) · usual 13%\nWindow 10:00–10:05, 22 Nov (America/Bogota, UTC−5)\nSince 09:55 · 10 min so far"},
	 "accessory":{"type":"overflow","action_id":"more","options":[{"text":{"type":"plain_text","text":"Show the rule"},"value":"rule"},{"text":{"type":"plain_text","text":"Mark as false alarm"},"value":"false"}]}},
	{"type":"section","text":{"type":"mrkdwn","text":"*Other alerts of this incident*\n🟠 Busy 6.7% · since 10:00"}},
	{"type":"section","text":{"type":"mrkdwn","text":"Network side: trunk, carrier or blocked numbers.\nCheck first: are all channels of the trunk in use, and does the carrier report a fault?\n<https://wiki.example.com/congestion?a=1&amp;b=2|What to do>"}},
	{"type":"actions","block_id":"todo","elements":[
	 {"type":"button","action_id":"ack","text":{"type":"plain_text","text":"Acknowledge"},"value":"incident-1","style":"primary"},
	 {"type":"static_select","action_id":"silence","placeholder":{"type":"plain_text","text":"Silence…"},"options":[{"text":{"type":"plain_text","text":"1 hour"},"value":"1h"},{"text":{"type":"plain_text","text":"until tomorrow"},"value":"1d"}]},
	 {"type":"button","action_id":"runbook","text":{"type":"plain_text","text":"Runbook"},"url":"https://wiki.example.com/"}]},
	{"type":"context","elements":[{"type":"mrkdwn","text":"Severity: critical"},{"type":"mrkdwn","text":"Rule: ` + "`CongestionSpike`" + `"}]}]`

// incident fills the channel with what a day may bring.
func (w *window) incident() (root string) {
	w.t.Helper()
	w.post("text", "resolved", "blocks", `[{"type":"header","text":{"type":"plain_text","text":"✅ Resolved: Busy · Cobranza"}},
		{"type":"section","text":{"type":"mrkdwn","text":"*35 min*, 08:10–08:45 · peak *21%* busy (64 of 305 unconnected calls)"}},
		{"type":"context","elements":[{"type":"mrkdwn","text":"Severity: warning"}]}]`)
	root = w.post("text", "firing", "blocks", firing)
	w.post("text", "Busy joined: *6.7%* of unconnected calls", "thread_ts", root)
	w.upload(root)
	w.SayAs("U0000002", "noc", "On it, calling the carrier. `trunk 3` looks dead &amp; _quiet_.")
	w.call("chat.update", "channel", "C0000001", "ts", root, "text", "firing", "blocks", strings.Replace(firing, "10 min so far", "15 min so far", 1))
	w.post("text", "🟢 Better: Congestion 18% · Ventas Bogotá", "thread_ts", root, "reply_broadcast", "true")
	w.call("chat.postEphemeral", "channel", "noc", "user", "U0000001", "text", "*1 open incident*: Ventas Bogotá, congestion, since 09:55\n&gt; acknowledged by nobody")
	return root
}

// upload shares a picture into a thread.
func (w *window) upload(thread string) {
	w.t.Helper()
	chart := image.NewNRGBA(image.Rect(0, 0, 480, 160))
	for x := range 480 {
		for y := range 160 {
			c := color.NRGBA{0xdd, 0xe6, 0xf5, 0xff}
			if y > 130-x*x/2600 {
				c = color.NRGBA{0xd0, 0x3c, 0x4c, 0xff}
			}
			chart.Set(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, chart); err != nil {
		w.t.Fatal(err)
	}
	api := slack.New(fakeslack.DefaultToken, slack.OptionAPIURL(w.APIURL()))
	if _, err := api.UploadFileContext(w.t.Context(), slack.UploadFileParameters{
		Filename: "chart.png", FileSize: file.Len(), Reader: &file, Title: "Last 24 h", AltTxt: "congestion rises from 13% to 44%",
		Channel: "C0000001", ThreadTimestamp: thread,
	}); err != nil {
		w.t.Fatal(err)
	}
}

// app connects an app that acknowledges everything, answers commands, and hands on what it hears.
func (w *window) app() <-chan socketmode.Event {
	w.t.Helper()
	heard := make(chan socketmode.Event, 10)
	client := socketmode.New(slack.New(fakeslack.DefaultToken, slack.OptionAPIURL(w.APIURL()), slack.OptionAppLevelToken(fakeslack.DefaultAppToken)))
	go func() { _ = client.RunContext(w.t.Context()) }() // ends with the test
	go func() {
		for {
			select {
			case e := <-client.Events:
				switch e.Type {
				case socketmode.EventTypeInteractive:
					_ = client.Ack(*e.Request)
					heard <- e
				case socketmode.EventTypeSlashCommand:
					_ = client.Ack(*e.Request, map[string]string{"text": "*No* open incidents"})
					heard <- e
				}
			case <-w.t.Context().Done():
				return
			}
		}
	}()
	return heard
}

func next(t *testing.T, heard <-chan socketmode.Event) socketmode.Event {
	t.Helper()
	select {
	case e := <-heard:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("the app heard nothing")
		return socketmode.Event{}
	}
}

func TestAnEmptyChannel(t *testing.T) {
	w := open(t, fakeslack.Options{})
	w.is("the title", `document.title === "unconnected · Slack preview"`)
	w.is("a stand-in", `document.querySelector("header").innerText.includes("stand-in") && document.querySelector("header").innerText.includes("SLACK_TOKEN")`)
	w.is("nothing yet", `document.querySelector("main").innerText.includes("Nothing here yet")`)
	w.picture("empty")
	w.Say("noc", "hello")
	w.see("the first message", `document.querySelectorAll("article").length === 1 && !document.getElementById("empty")`)
}

func TestWhatIsSeen(t *testing.T) {
	w := open(t, fakeslack.Options{})
	root := w.incident()
	w.see("everything", `document.querySelectorAll("article").length === 5 && document.querySelector("article.private") !== null`)
	article := `document.getElementById("m` + root + `")`
	for what, expression := range map[string]string{
		"the header":           article + `.querySelector("h2").innerText === "🔴 Firing: Congestion 44% · Ventas Bogotá"`,
		"bold":                 `getComputedStyle(` + article + `.querySelector(".text b")).fontWeight >= 600`,
		"lines":                article + `.innerText.includes("unconnected calls) · usual 13%\nWindow 10:00")`,
		"an edit":              article + `.innerText.includes("15 min so far") && ` + article + `.innerText.includes("(edited)")`,
		"@here":                article + `.querySelector(".mention.loud").innerText === "@here"`,
		"a person's name":      article + `.innerText.includes("@Ana Torres")`,
		"a message for you":    article + `.classList.contains("for-you")`,
		"a link":               article + `.querySelector('a[href="https://wiki.example.com/congestion?a=1&b=2"]').rel === "noopener noreferrer"`,
		"a link as a button":   article + `.querySelector("a.button").href === "https://wiki.example.com/"`,
		"dead buttons":         `[...` + article + `.querySelectorAll("button, select")].every(e => e.disabled)`,
		"a context":            article + `.querySelector(".context code").innerText === "CongestionSpike"`,
		"a folded thread":      article + `.querySelector("details.thread").open === false && ` + article + `.querySelector("details.thread summary").innerText.startsWith("3 replies")`,
		"a person's message":   `document.querySelector("main").innerText.includes("trunk 3 looks dead & quiet")`,
		"a reply that is loud": `[...document.querySelectorAll("article")].some(a => a.innerText.includes("replied to a thread: 🔴 Firing"))`,
		"only for you":         `document.querySelector("article.private").innerText.includes("Only visible to you")`,
		"the reader's clock":   `/^\d\d:\d\d$/.test(document.querySelector("time.clock").innerText)`,
		"the day":              `document.querySelector("article").dataset.day === "Today"`,
		"the end":              `(s => s.scrollHeight - s.scrollTop - s.clientHeight < 2)(document.getElementById("scroll"))`,
	} {
		w.is(what, expression)
	}
	w.picture("light")
	w.do(chromedp.Click("details.thread > summary"))
	w.see("the chart", `(i => i.complete && i.naturalWidth === 480 && i.alt.includes("44%"))(document.querySelector("figure img"))`)
	w.run(`document.querySelector("figure").scrollIntoView({block: "end"})`)
	w.picture("thread")
	w.post("text", "one more", "thread_ts", root)
	w.see("a live reply in the open thread", article+`.querySelector("details.thread").open && `+article+`.innerText.includes("one more")`)
}

func TestDark(t *testing.T) {
	w := open(t, fakeslack.Options{}, dark())
	w.incident()
	w.see("everything", `document.querySelector("article.private") !== null`)
	brightness := func(property string) string {
		return `(c => (+c[0] + +c[1] + +c[2]) / 3)(getComputedStyle(document.body).` + property + `.match(/\d+/g))`
	}
	w.is("light on dark", brightness("backgroundColor")+" < 60 && "+brightness("color")+" > 180")
	w.picture("dark")
}

func TestPhone(t *testing.T) {
	w := open(t, fakeslack.Options{}, phone())
	w.incident()
	w.Say("noc", strings.Repeat("x", 300)+" <https://example.com/"+strings.Repeat("y", 300)+">")
	w.Say("noc", "```"+strings.Repeat("z", 300)+"```")
	w.see("everything", `document.querySelector("pre") !== null`)
	w.run(`document.querySelectorAll("details.thread").forEach(d => { d.open = true; })`)
	w.is("no sideways scrolling", `document.documentElement.scrollWidth <= 390 && document.getElementById("scroll").scrollWidth <= 390`)
	w.is("nothing beyond the edge", `[...document.querySelectorAll("main *, form *")].every(e => e.getBoundingClientRect().right <= 391)`)
	w.is("the composer is in sight", `document.querySelector("#composer").getBoundingClientRect().bottom <= 845`)
	w.is("fingers hit the buttons", `[...document.querySelectorAll("button.button, select.button, summary.button")].every(e => e.offsetHeight === 0 || e.offsetHeight >= 36)`)
	w.run(`document.querySelector("h2").scrollIntoView()`)
	w.picture("phone")
}

func TestClicking(t *testing.T) {
	w := open(t, fakeslack.Options{})
	root := w.incident()
	heard := w.app()
	w.see("live buttons", `[...document.querySelectorAll("article button[data-action], article select[data-action]")].length >= 2`)
	action := func() *slack.BlockAction {
		t.Helper()
		seen := next(t, heard).Data.(slack.InteractionCallback)
		if seen.User.ID != "U0000001" || seen.Message.Timestamp != root {
			t.Errorf("the app sees %+v", seen)
		}
		return seen.ActionCallback.BlockActions[0]
	}
	w.do(chromedp.Click(`//button[text()="Acknowledge"]`))
	if a := action(); a.ActionID != "ack" || a.Value != "incident-1" {
		t.Errorf("the button sends %+v", a)
	}
	w.run(`(s => { s.value = "1d"; s.dispatchEvent(new Event("change", {bubbles: true})); })(document.querySelector("select[data-action=silence]"))`)
	if a := action(); a.ActionID != "silence" || a.SelectedOption.Value != "1d" {
		t.Errorf("the select sends %+v", a)
	}
	w.do(chromedp.Click("details.menu > summary"), chromedp.WaitVisible("details.menu button"))
	w.picture("menu")
	w.do(chromedp.Click(`//button[text()="Show the rule"]`))
	if a := action(); a.ActionID != "more" || a.SelectedOption.Value != "rule" {
		t.Errorf("the menu sends %+v", a)
	}
	w.see("the menu closes", `document.querySelector("details.menu").open === false`)
	w.is("no problem", `document.getElementById("toast").hidden`)
	w.DropSockets()
	w.RefuseSockets("internal_error")
	w.see("dead buttons", `[...document.querySelectorAll("article button")].every(e => e.disabled)`)
}

func TestNobodyAnswers(t *testing.T) {
	w := open(t, fakeslack.Options{})
	w.do(chromedp.SendKeys("#composer input", "/unconnected status\r"))
	w.see("the problem", `!document.getElementById("toast").hidden && document.getElementById("toast").innerText.includes("not connected")`)
	w.is("the command is still there", `document.querySelector("#composer input").value === "/unconnected status"`)
}

func TestTyping(t *testing.T) {
	w := open(t, fakeslack.Options{})
	heard := w.app()
	w.see("the app", `document.getElementById("messages").dataset.connected === "true"`)
	w.do(chromedp.SendKeys("#composer input", "/unconnected  incidents now\r"))
	if c := next(t, heard).Data.(slack.SlashCommand); c.Command != "/unconnected" || c.Text != "incidents now" || c.ChannelID != "C0000001" {
		t.Errorf("the app sees %+v", c)
	}
	w.see("the answer", `document.querySelector("article.private .text")?.innerHTML.trim() === "<b>No</b> open incidents"`)
	w.do(chromedp.SendKeys("#composer input", "is <b>it</b> & you?\r"))
	w.see("the message", `[...document.querySelectorAll("article .text")].some(e => e.innerText === "is <b>it</b> & you?")`)
}

// TestHostileText: nothing that is posted becomes more than text.
func TestHostileText(t *testing.T) {
	w := open(t, fakeslack.Options{Users: []fakeslack.User{{ID: "U0000001", Name: "ana", RealName: `<img src=x onerror="window.hacked=1">`}}})
	const evil = `<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>&lt;script&gt;window.hacked=1&lt;/script&gt;<javascript:window.hacked=1|click>`
	text := strings.ReplaceAll(evil, `\"`, `"`)
	w.post("text", text)
	w.post("text", "x", "blocks", `[{"type":"header","text":{"type":"plain_text","text":"`+evil[:60]+`"}},
		{"type":"section","text":{"type":"mrkdwn","text":"<@U0000001> `+evil+`"},"fields":[{"type":"plain_text","text":"`+evil+`"}]},
		{"type":"actions","elements":[{"type":"button","action_id":"\" onclick=\"window.hacked=1","text":{"type":"plain_text","text":"<b>x</b>"},"url":"javascript:window.hacked=1"}]},
		{"type":"context","elements":[{"type":"image","image_url":"https://evil.example.com/x.png","alt_text":"`+evil+`"}]},
		{"type":"image","image_url":"https://evil.example.com/x.png","alt_text":"`+evil+`"}]`)
	w.SayAs("U0000001", "noc", "by me")
	w.see("the messages", `document.querySelectorAll("article").length === 3`)
	w.is("no script, no image", `document.querySelectorAll("article script, article img:not(.picture), article [onerror], article [onclick]").length === 0`)
	w.is("no script in an address", `[...document.querySelectorAll("article a")].every(a => /^https?:/.test(a.href))`)
	w.is("text", `document.querySelector("article .text").innerText.includes("<script>window.hacked=1</script>")`)
	w.do(chromedp.Reload(), chromedp.WaitVisible("#state.live"))
	w.is("nothing ran", `window.hacked === undefined`)
}

// TestTheReaderIsNotDisturbed: what changes elsewhere leaves the reader's place, threads and focus alone.
func TestTheReaderIsNotDisturbed(t *testing.T) {
	w := open(t, fakeslack.Options{})
	root := w.incident()
	for range 20 {
		w.Say("noc", "filler")
	}
	w.see("everything", `document.querySelectorAll("article").length === 25`)
	w.run(`document.querySelector("details.thread").open = true; document.getElementById("scroll").scrollTop = 40`)
	w.run(`window.kept = document.querySelectorAll("article")[0]`)
	w.call("chat.update", "channel", "C0000001", "ts", root, "text", "over", "blocks", "[]")
	w.Say("noc", "news")
	w.see("the news", `document.querySelectorAll("article").length === 26 && document.getElementById("m`+root+`").innerText.includes("over")`)
	w.is("the place", `Math.abs(document.getElementById("scroll").scrollTop - 40) < 2`)
	w.is("the thread", `document.querySelector("details.thread").open`)
	w.is("the same element", `window.kept === document.querySelectorAll("article")[0]`)
	w.Delete(root)
	w.see("a message less", `document.getElementById("m`+root+`") === null`)
}

func TestALinkToAReplyOpensItsThread(t *testing.T) {
	w := open(t, fakeslack.Options{})
	root := w.incident()
	reply := w.Thread("noc", root)[0].TS
	w.do(chromedp.Navigate("about:blank"), chromedp.Navigate(w.url+"?channel=C0000001#m"+reply), chromedp.WaitVisible("#state.live"))
	w.see("the reply", `document.getElementById("m`+reply+`").offsetHeight > 0`)
}

func TestTheServerComesAndGoes(t *testing.T) {
	w := open(t, fakeslack.Options{})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.see("it is gone", `!document.getElementById("state").classList.contains("live")`)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errors = nil // connections that fail, as they must
}
