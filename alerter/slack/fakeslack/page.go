package fakeslack

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

var templates = template.Must(template.ParseFS(static, "static/*.html"))

// Timing of live pages.
const (
	pageRest  = 150 * time.Millisecond // between two notices of changes
	pageAlive = 15 * time.Second       // a sign of life at least this often
)

// policy lets the page load nothing but its own files, and nobody put it into a frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// Page is the channels as people see them, for a browser: messages, threads, files, buttons that work when an app is
// connected by Socket Mode, a box to type commands; it follows what happens. Who looks is the first of [Options.Users].
//
// It uses relative addresses only, so it can be mounted anywhere: http.StripPrefix("/slack", server.Page()) at "/slack/".
// It has no login: it answers only when it is asked for by an IP address, as localhost or by the host of
// [Options.PageURL], so that no website can reach it by a name of its own, and takes clicks from itself only. [Server.Close]
// ends the connections on which pages follow.
func (s *Server) Page() http.Handler { return s.page }

func (s *Server) newPage() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showPage)
	mux.HandleFunc("GET /messages", s.showMessages)
	mux.HandleFunc("GET /events", s.follow)
	mux.HandleFunc("GET /static/{name}", showStatic)
	mux.HandleFunc("GET /files/{id}", s.showFile)
	mux.HandleFunc("POST /click", s.clicked)
	mux.HandleFunc("POST /say", s.said)
	return s.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard sets the headers of all answers, and refuses requests by a name that may be somebody else's.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !s.isOurs(r.Host) {
			http.Error(w, "The Slack preview is shown only by IP address or as localhost.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOurs tells whether the page may be asked for by this host and port.
func (s *Server) isOurs(hostport string) bool {
	if u, err := url.Parse(s.options.PageURL); err == nil && u.Host != "" && u.Host == hostport {
		return true
	}
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil
}

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) { s.render(w, r, "page.html") }

func (s *Server) showMessages(w http.ResponseWriter, r *http.Request) { s.render(w, r, "messages") }

func (s *Server) render(w http.ResponseWriter, r *http.Request, name string) {
	v := s.view(r.URL.Query().Get("channel"))
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, v); err != nil {
		http.Error(w, "the page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = page.WriteTo(w) // a browser that has left is its own business
}

func showStatic(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	content, err := static.ReadFile("static/" + name)
	if err != nil || path.Ext(name) == ".html" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	_, _ = w.Write(content) // as above
}

// shownImages are the types of files that browsers show and that cannot contain scripts.
var shownImages = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}

func (s *Server) showFile(w http.ResponseWriter, r *http.Request) {
	file, ok := s.file(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	kind := file.Type
	if !shownImages[kind] {
		kind = "application/octet-stream"
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = w.Write(file.Data) // as above
}

// file finds a file that everybody or somebody sees.
func (s *Server) file(id string) (File, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		for _, f := range m.Files {
			if f.ID == id {
				return f, true
			}
		}
	}
	return File{}, false
}

// follow tells a page about changes as server-sent events, until it or the server leaves. An event's data is the version.
func (s *Server) follow(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	send := func(text string) bool {
		_ = control.SetWriteDeadline(time.Now().Add(2 * pageAlive)) // the server's own would end the page
		_, err := fmt.Fprint(w, text)
		return err == nil && control.Flush() == nil
	}
	if !send("retry: 1000\n\n") {
		return
	}
	alive := time.NewTicker(pageAlive)
	defer alive.Stop()
	for shown := ^uint64(0); ; {
		version, changed := s.present()
		if version != shown {
			if shown = version; !send(fmt.Sprintf("data: %d\n\n", version)) || !s.rest(r) {
				return
			}
			continue
		}
		select {
		case <-changed:
		case <-alive.C:
			if !send(":\n\n") {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.closed:
			return
		}
	}
}

// present is the version of what the page shows, and a channel that is closed at the next change.
func (s *Server) present() (uint64, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version, s.changed
}

// rest waits so that many changes at a time are one. It is false when the page or the server leaves.
func (s *Server) rest(r *http.Request) bool {
	timer := time.NewTimer(pageRest)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.closed:
	}
	return false
}
