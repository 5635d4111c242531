package fakeslack_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"unconnected/alerter/slack/fakeslack"
)

// mounted is a page below /slack/ of a server that is as strict with time as the daemons' is.
func mounted(t *testing.T, w workspace) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/slack/", http.StripPrefix("/slack", w.Page()))
	site := httptest.NewUnstartedServer(mux)
	site.Config.ReadTimeout, site.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	site.Start()
	t.Cleanup(func() {
		_ = w.Close()
		site.Close()
	})
	return site.URL + "/slack/"
}

func get(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestPage(t *testing.T) {
	w := start(t, fakeslack.Options{Channels: []fakeslack.Channel{{ID: "C0000001", Name: "noc"}, {ID: "C0000002", Name: "ventas", Private: true}}})
	w.post("text", "hello *there*")
	page := mounted(t, w)
	resp, body := get(t, page)
	for _, want := range []string{"<title>unconnected · Slack preview</title>", "hello <b>there</b>", "SLACK_TOKEN", "# noc", "🔒 ventas"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, foreign := range []string{`="/`, `="http`, `='http`, "style="} {
		if strings.Contains(body, foreign) {
			t.Errorf("the page has %q", foreign)
		}
	}
	if p := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
		t.Errorf("the policy is %q", p)
	}
	if _, body := get(t, page+"?channel=C0000002"); strings.Contains(body, "hello") || !strings.Contains(body, "Nothing here yet") {
		t.Error("another channel shows the message")
	}
	for name, kind := range map[string]string{"static/page.css": "text/css", "static/page.js": "text/javascript", "static/icon.svg": "image/svg+xml"} {
		if resp, _ := get(t, page+name); resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) {
			t.Errorf("%s is %s, %s", name, resp.Status, resp.Header.Get("Content-Type"))
		}
	}
	for _, name := range []string{"static/page.html", "static/..%2Fpage.go", "static/", "files/F1", "elsewhere"} {
		if resp, _ := get(t, page+name); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s is %s", name, resp.Status)
		}
	}
}

// TestLanguages: the page says everything in both languages.
func TestLanguages(t *testing.T) {
	for _, language := range []string{"", "es"} {
		w := start(t, fakeslack.Options{Language: language})
		page := mounted(t, w)
		_, empty := get(t, page)
		w.post("text", "reply", "thread_ts", w.post("text", "x", "blocks", card))
		_, full := get(t, page)
		for english, spanish := range map[string]string{
			"Slack preview": "vista previa de Slack", "SLACK_TOKEN</code> and": "SLACK_TOKEN</code> y", "Nothing here yet": "Aún no hay nada",
			"1 reply": "1 respuesta", "Works when": "Funciona cuando", ">Send<": ">Enviar<", `lang="en"`: `lang="es"`,
		} {
			want, other := english, spanish
			if language == "es" {
				want, other = spanish, english
			}
			if both := empty + full; !strings.Contains(both, want) || strings.Contains(both, other) {
				t.Errorf("in %q the page lacks %q, or has %q", language, want, other)
			}
		}
	}
}

// TestWhoMayAsk: no website reaches the page, neither by a name of its own that leads here nor with a form.
func TestWhoMayAsk(t *testing.T) {
	const allowed, refused = http.StatusOK, http.StatusForbidden
	cases := []struct {
		name, host, origin, site string
		want                     int
	}{
		{"by address", "127.0.0.1:8080", "http://127.0.0.1:8080", "same-origin", allowed},
		{"by address of the other kind", "[::1]:8080", "http://[::1]:8080", "", allowed},
		{"by localhost", "localhost:8080", "http://localhost:8080", "same-origin", allowed},
		{"by the name of the page", "preview.example.com", "https://preview.example.com", "same-origin", allowed},
		{"without a browser", "127.0.0.1:8080", "", "", allowed},
		{"by a name that leads here", "evil.example.com:8080", "http://evil.example.com:8080", "same-origin", refused},
		{"by a name that looks like localhost", "localhost.evil.example.com", "", "", refused},
		{"from another site", "127.0.0.1:8080", "https://evil.example.com", "cross-site", refused},
		{"from another site by an old browser", "127.0.0.1:8080", "https://evil.example.com", "", refused},
		{"from another port", "127.0.0.1:8080", "http://127.0.0.1:9999", "same-site", refused},
		{"from a file", "127.0.0.1:8080", "null", "", refused},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := fakeslack.New(fakeslack.Options{PageURL: "https://preview.example.com/slack/"})
			r := httptest.NewRequest(http.MethodPost, "http://"+c.host+"/say", strings.NewReader("channel=C0000001&text=hello"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if c.site != "" {
				r.Header.Set("Sec-Fetch-Site", c.site)
			}
			answer := httptest.NewRecorder()
			s.Page().ServeHTTP(answer, r)
			if said := len(s.Messages("noc")); answer.Code != c.want || (said == 1) != (c.want == allowed) {
				t.Errorf("the answer is %d, want %d; %d messages", answer.Code, c.want, said)
			}
		})
	}
	s := fakeslack.New(fakeslack.Options{})
	for _, path := range []string{"/", "/messages", "/events", "/static/page.js"} {
		answer := httptest.NewRecorder()
		s.Page().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://evil.example.com"+path, nil))
		if answer.Code != refused {
			t.Errorf("%s by another name is %d", path, answer.Code)
		}
	}
}

func TestFollowing(t *testing.T) {
	w := start(t, fakeslack.Options{})
	page := mounted(t, w)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, page+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	event := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		return ""
	}
	last := event()
	for range 3 { // longer than the server's time-outs together
		w.call("auth.test") // changes nothing that is seen
		w.Say("noc", "hello")
		next := event()
		if next == "" || next == last {
			t.Fatalf("after %q comes %q, %v", last, next, lines.Err())
		}
		last = next
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if event() != "" || ctx.Err() != nil {
		t.Error("a page follows a server that is closed")
	}
}

func TestPageFiles(t *testing.T) {
	w := start(t, fakeslack.Options{})
	share := func(name, content string) string {
		t.Helper()
		announced := w.call("files.getUploadURLExternal", "filename", name, "length", strconv.Itoa(len(content)))
		resp, err := http.Post(announced["upload_url"].(string), "application/octet-stream", strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		id := announced["file_id"].(string)
		w.call("files.completeUploadExternal", "channel_id", "C0000001", "files", `[{"id":"`+id+`","title":"<b>`+name+`</b>"}]`)
		return id
	}
	picture := share("chart.png", "\x89PNG\r\n\x1a\n...")
	script := share("evil.png", "<html><script>alert(1)</script></html>")
	drawing := share("evil.svg", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)
	page := mounted(t, w)
	if resp, _ := get(t, page+"files/"+picture); resp.Header.Get("Content-Type") != "image/png" || resp.Header.Get("Content-Disposition") != "" {
		t.Errorf("a picture comes as %v", resp.Header)
	}
	for _, id := range []string{script, drawing} {
		resp, _ := get(t, page+"files/"+id)
		if h := resp.Header; h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") ||
			!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("a script comes as %v", h)
		}
	}
	_, body := get(t, page)
	if strings.Contains(body, "<b>chart") || strings.Count(body, `src="files/`) != 1 {
		t.Errorf("the page shows files as %s", body)
	}
}

func TestClicksOnThePage(t *testing.T) {
	w := start(t, fakeslack.Options{AckWait: time.Millisecond})
	ts := w.post("text", "x", "blocks", card)
	page := mounted(t, w)
	post := func(path string, fields url.Values) string {
		t.Helper()
		resp, err := http.PostForm(page+path, fields)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.Status + " " + string(body)
	}
	click := url.Values{"ts": {ts}, "action": {"ack"}}
	command := url.Values{"channel": {"C0000001"}, "text": {"/unconnected status"}}
	expect := func(got, want string) {
		t.Helper()
		if !strings.Contains(got, want) {
			t.Errorf("the answer is %q, want %q in it", got, want)
		}
	}
	expect(post("click", click), "not connected by Socket Mode")
	expect(post("say", command), "not connected by Socket Mode")
	expect(post("say", url.Values{"channel": {"C9"}, "text": {"x"}}), "no such channel")
	expect(post("say", url.Values{"channel": {"C0000001"}, "text": {strings.Repeat("x", 4001)}}), "400")
	expect(post("say", url.Values{"channel": {"C0000001"}, "text": {" "}}), "400")
	expect(post("click", url.Values{"ts": {ts}, "action": {"none"}}), "no such button")
	w.dial()
	expect(post("click", click), "did not answer within three seconds")
	if _, body := get(t, page); !strings.Contains(body, `data-action="ack"`) || strings.Contains(body, "disabled") {
		t.Error("with an app connected the buttons do not work")
	}
}

// FuzzBlocks: whatever is posted, it is refused or shown, and nothing but the templates writes elements.
func FuzzBlocks(f *testing.F) {
	for _, seed := range []string{
		card, `[{"type":"section","text":{"type":"mrkdwn","text":"*a* <@U0000001>"},"accessory":{"type":"overflow","action_id":"a","options":[{"text":{"type":"plain_text","text":"x"},"value":"1"}]}}]`,
		`[{"type":"context","elements":[{"type":"image","alt_text":"x"},{"type":"mrkdwn","text":"y"}]}]`, `[{"type":"image","alt_text":"<script>"}]`,
		`[{"type":"actions","elements":[{"type":"radio_buttons","options":[{}],"initial_option":null}]}]`, `[{"type":"header","text":{"type":"plain_text","text":"<script>alert(1)</script>"}}]`,
		`[{"type":"actions","elements":[{"type":"static_select","option_groups":[{"label":null}]}]}]`, `[null]`, `{}`, `null`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, blocks string) {
		s := fakeslack.New(fakeslack.Options{})
		ask := func(r *http.Request) string {
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, r)
			if answer.Code != http.StatusOK {
				t.Errorf("%s is answered %d: %s", r.URL, answer.Code, answer.Body)
			}
			return answer.Body.String()
		}
		form := url.Values{"token": {fakeslack.DefaultToken}, "channel": {"noc"}, "text": {"x"}, "blocks": {blocks}}
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/api/chat.postMessage", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		ask(r)
		page := ask(httptest.NewRequest(http.MethodGet, "http://127.0.0.1/messages", nil))
		if strings.Contains(page, "<script") || strings.Contains(page, `href="javascript`) {
			t.Errorf("%s is shown as %s", blocks, page)
		}
		for _, m := range s.Messages("noc") {
			if _, err := s.Click(t.Context(), "ana", m.TS, "ack"); err == nil {
				t.Error("a click reaches nobody")
			}
		}
	})
}
