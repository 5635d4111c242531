package wolkvox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestNoErrorContainsASecret lets the other side, and the transport, repeat the
// token and the base URL's password in every way that ends up in an error.
func TestNoErrorContainsASecret(t *testing.T) {
	const password = "passw0rd"
	faults := map[string]http.HandlerFunc{
		"in msg, shouted": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"code":403,"error":%q,"msg":"PLEASE VALIDATE TOKEN %s"}`, secret, strings.ToUpper(secret))
		},
		"in msg, escaped": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"code":403,"error":"FORBIDDEN","msg":"VALIDATE \u%04x%s"}`, secret[0], secret[1:])
		},
		"in a page": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "<html>wolkvox-token: %s, %s</html>", secret, password)
		},
		"where the excerpt ends": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Repeat("x", 80-len(secret)/2), secret)
		},
		"as the code": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"code":%q}`, secret) },
		"as a result": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"code":200,"data":[{"result":%q,"count":"-1"}]}`, secret)
		},
		"as a count": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"code":200,"data":[{"result":"","count":%q}]}`, secret)
		},
		"as data": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"code":200,"data":%q}`, secret) },
		"in a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+secret+".example/?t="+secret, http.StatusFound)
		},
		"in a bad redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://[::1/"+secret)
			w.WriteHeader(http.StatusFound)
		},
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			server := serve(t, fault)
			base := strings.Replace(server.URL, "http://", "http://user:"+password+"@", 1)
			_, err := ask(newTestClient(base))
			checkNoSecret(t, err, secret, password)
			if _, err := newTestClient(base).TokenInfo(context.Background()); err != nil {
				checkNoSecret(t, err, secret, password)
			}
		})
	}
	t.Run("in the transport's error", func(t *testing.T) {
		client := newTestClient("http://user:"+password+"@h", func(o *Options) {
			o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: fmt.Errorf("sending %v", r.Header)}
			})
		})
		_, err := ask(client)
		checkNoSecret(t, err, secret, password)
	})
}

// checkNoSecret looks at the error, at all it wraps and at all its fields.
func checkNoSecret(t *testing.T, err error, secrets ...string) {
	t.Helper()
	failed := failure(t, err)
	texts := []string{fmt.Sprintf("%v %+v %#v", *failed, *failed, *failed)}
	for ; err != nil; err = errors.Unwrap(err) {
		texts = append(texts, fmt.Sprintf("%v %+v", err, err))
	}
	for _, text := range texts {
		for _, secret := range secrets {
			// Half of it would be too much already.
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret[:len(secret)/2])) {
				t.Errorf("%q contains %q", text, secret)
			}
		}
	}
}

// TestASecretInTheTextChangesNoMeaning: a token can be a word of what the API says.
func TestASecretInTheTextChangesNoMeaning(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"code":"403","error":"FORBIDDEN","msg":"TOKEN LIMIT EXCEEDED"}`)
	})
	for _, token := range []string{"limit", "code", "c", "403"} {
		_, err := ask(newTestClient(server.URL, func(o *Options) { o.Token = func() string { return token } }))
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != KindQuota {
			t.Errorf("with the token %q: %v, want %v", token, err, KindQuota)
		}
	}
}

// TestNoRowKeepsASecret: rows are stored as they came, so that an answer whose results repeat the token is garbage. A short token
// may be a word.
func TestNoRowKeepsASecret(t *testing.T) {
	const long = "Tok-4711-of-the-api"
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"code":"200","data":[{"result":"BUSY","count":"1"},{"result":"x %s","count":"3"}]}`, strings.ToUpper(r.Header.Get("wolkvox-token")))
	})
	for token, garbage := range map[string]bool{long: true, "voicemail": false} {
		answer, err := ask(newTestClient(server.URL, func(o *Options) { o.Token = func() string { return token } }))
		var failed *Error
		if errors.As(err, &failed) != garbage || garbage && failed.Kind != KindGarbage {
			t.Errorf("with the token %q: %v", token, err)
		}
		if !garbage && answer.Total != 4 {
			t.Errorf("with the token %q: %+v", token, answer)
		}
	}
}
