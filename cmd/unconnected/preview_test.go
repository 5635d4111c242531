package main

import "testing"

func TestViewer(t *testing.T) {
	t.Setenv("USER", "")
	t.Setenv("LOGNAME", "rosa")
	if got := viewer(); got.RealName != "rosa" || got.ID == "" {
		t.Errorf("the viewer is %+v", got)
	}
}

func TestPageAddress(t *testing.T) {
	for addr, want := range map[string]struct {
		page   string
		beyond bool
	}{
		"127.0.0.1:8080":    {"http://127.0.0.1:8080/slack/", false},
		"[::1]:8080":        {"http://[::1]:8080/slack/", false},
		"[::]:8080":         {"http://localhost:8080/slack/", true}, // HTTP_ADDR=:8080
		"0.0.0.0:8080":      {"http://localhost:8080/slack/", true},
		"192.168.1.20:8080": {"http://192.168.1.20:8080/slack/", true},
	} {
		if page, beyond := pageAddress(addr); page != want.page || beyond != want.beyond {
			t.Errorf("%s: %s, beyond this machine %t", addr, page, beyond)
		}
	}
}
