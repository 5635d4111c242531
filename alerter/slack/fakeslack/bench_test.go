package fakeslack_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"unconnected/alerter/slack/fakeslack"
)

// BenchmarkPage shows a channel with 500 messages, each with buttons.
func BenchmarkPage(b *testing.B) {
	s := fakeslack.New(fakeslack.Options{Keep: 500})
	form := url.Values{"token": {fakeslack.DefaultToken}, "channel": {"noc"}, "text": {"x"}, "blocks": {card}}.Encode()
	for range 1000 {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/api/chat.postMessage", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	for b.Loop() {
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/messages", nil))
		b.SetBytes(int64(answer.Body.Len()))
	}
}
