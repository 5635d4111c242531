//go:build browser

package pagetest

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"unconnected/alerter/slack/fakeslack"
)

var screenshots = flag.String("screenshots", "", "directory for pictures of what the tests see")

// patience bounds one test on a busy machine.
const patience = 60 * time.Second

// window is a page in a browser, on a workspace.
type window struct {
	*fakeslack.Server
	t   *testing.T
	ctx context.Context
	url string // of the page

	mu     sync.Mutex
	errors []string // that the browser reported
}

// open shows the page of a workspace, which is mounted below a path of another server.
func open(t *testing.T, o fakeslack.Options, before ...chromedp.Action[chromedp.Void]) *window {
	t.Helper()
	server, err := fakeslack.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/slack/", http.StripPrefix("/slack", server.Page()))
	site := httptest.NewServer(mux)
	w := &window{Server: server, t: t, url: site.URL + "/slack/"}
	w.ctx = w.tab()
	t.Cleanup(func() {
		_ = server.Close() // or the site waits for the page that follows
		site.Close()
	})
	w.do(append(append([]chromedp.Action[chromedp.Void]{chromedp.EmulateViewport(1100, 900)}, before...),
		chromedp.Navigate(w.url), chromedp.WaitVisible("#state.live"))...)
	t.Cleanup(w.report)
	return w
}

// tab opens a tab of the browser, which is closed with the test.
func (w *window) tab() context.Context {
	w.t.Helper()
	browser, err := chromium()
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	w.t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, patience)
	w.t.Cleanup(cancel)
	if err := chromedp.Listen(ctx, w.listen); err != nil {
		w.t.Fatal(err)
	}
	return ctx
}

// stopChromium ends what chromium started.
var stopChromium = func() {}

// chromium is the browser of all tests.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("these tests need Chromium (apt-get install chromium): %w", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("disable-dev-shm-usage", true))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root otherwise
	}
	ctx, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stopBrowser := chromedp.NewContext(ctx)
	stopChromium = func() { stopBrowser(); stopAllocator() }
	return ctx, chromedp.Do(ctx) // starts it
})

func TestMain(m *testing.M) {
	code := m.Run()
	stopChromium()
	os.Exit(code)
}

// listen collects what the browser complains about.
func (w *window) listen(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		w.errors = append(w.errors, text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			w.errors = append(w.errors, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// report fails the test when the browser complained.
func (w *window) report() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.errors) > 0 {
		w.t.Errorf("the browser complains:\n%s", strings.Join(w.errors, "\n"))
	}
}

func (w *window) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, actions...); err != nil {
		w.t.Fatal(err)
	}
}

// evaluate is what an expression of JavaScript is on the page now.
func (w *window) evaluate(expression string) bool {
	w.t.Helper()
	yes, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](expression))
	if err != nil {
		w.t.Fatalf("%s: %v", expression, err)
	}
	return yes
}

// see waits until an expression is true.
func (w *window) see(what, expression string) {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !w.evaluate("!!(" + expression + ")"); <-tick.C {
		if time.Now().After(deadline) {
			body, _ := chromedp.Run(w.ctx, chromedp.Text("body"))
			w.t.Fatalf("%s: not seen: %s. The page shows: %.1000q", what, expression, strings.Fields(body))
		}
	}
}

// is evaluates an expression once.
func (w *window) is(what, expression string) {
	w.t.Helper()
	if !w.evaluate(expression) {
		w.t.Errorf("%s: it is not so: %s", what, expression)
	}
}

// run runs a script on the page.
func (w *window) run(script string) {
	w.t.Helper()
	w.do(chromedp.Evaluate[chromedp.Void](script))
}

// picture takes a screenshot, when the flag asks for them.
func (w *window) picture(name string) {
	w.t.Helper()
	if *screenshots == "" {
		return
	}
	png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// call asks the Web API for something; args are pairs. It returns the answer's body.
func (w *window) call(method string, args ...string) string {
	w.t.Helper()
	form := url.Values{"token": {fakeslack.DefaultToken}}
	for i := 0; i < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	resp, err := http.PostForm(w.APIURL()+method, form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body strings.Builder
	if err := resp.Write(&body); err != nil {
		w.t.Fatal(err)
	}
	if !strings.Contains(body.String(), `"ok":true`) {
		w.t.Fatalf("%s is refused: %s", method, body.String())
	}
	return body.String()
}

// post posts to #noc and returns the ts.
func (w *window) post(args ...string) string {
	w.t.Helper()
	w.call("chat.postMessage", append([]string{"channel", "noc"}, args...)...)
	all := w.Messages("noc")
	return all[len(all)-1].TS
}

func dark() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
		})
		return err
	})
}

func phone() chromedp.Action[chromedp.Void] {
	return chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile)
}
