package config_test

import (
	"path/filepath"
	"testing"
	"time"

	"unconnected/internal/config"
)

func TestDuration(t *testing.T) {
	tests := []struct {
		in   string
		want time.Duration
		out  string
	}{
		{"0", 0, "0s"},
		{"90s", 90 * time.Second, "1m30s"},
		{"5m", 5 * time.Minute, "5m"},
		{"1h", time.Hour, "1h"},
		{"24h", 24 * time.Hour, "1d"},
		{" 1d12h ", 36 * time.Hour, "1d12h"},
		{"1.5d", 36 * time.Hour, "1d12h"},
		{"2w", 14 * 24 * time.Hour, "14d"},
		{"1w1d1h1m1.5s", 8*24*time.Hour + time.Hour + time.Minute + 1500*time.Millisecond, "8d1h1m1.5s"},
		{"400d", 400 * 24 * time.Hour, "400d"},
		{"250ms", 250 * time.Millisecond, "250ms"},
	}
	for _, test := range tests {
		var d config.Duration
		if err := d.Set(test.in); err != nil || time.Duration(d) != test.want || d.String() != test.out {
			t.Errorf("%q: %v (%s), %v, want %v (%s)", test.in, time.Duration(d), d, err, test.want, test.out)
		}
		var again config.Duration
		if err := again.Set(d.String()); err != nil || again != d {
			t.Errorf("%q: written as %s, read as %s, %v", test.in, d, again, err)
		}
	}
	for _, in := range []string{"", "5", "m", "5 m", "-5m", "-1d", "1d-12h", "1.2.3d", "5mo", "d", "99999999999w", "290y", "200000d1d"} {
		var d config.Duration
		if err := d.Set(in); err == nil {
			t.Errorf("%q: read as %s", in, d)
		}
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.FixedZone("", -5*3600))
	tests := []struct{ in, want string }{
		{"now", "2026-11-22T15:00:00Z"},
		{"-24h", "2026-11-21T15:00:00Z"},
		{"-1w1d", "2026-11-14T15:00:00Z"},
		{"2026-11-20", "2026-11-20T00:00:00Z"},
		{"2026-11-20T10:00:00-05:00", "2026-11-20T15:00:00Z"},
		{"2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"},
	}
	for _, test := range tests {
		var m config.Moment
		err := m.Set(test.in)
		if got := m.At(now).Format(time.RFC3339); err != nil || got != test.want || m.String() != test.in {
			t.Errorf("%q: %s, %v, want %s", test.in, got, err, test.want)
		}
	}
	for _, in := range []string{"24h", "+1h", "-", "-soon", "--1h", "2026-11-20T10:00", "20.11.2026", "yesterday"} {
		var m config.Moment
		if err := m.Set(in); err == nil || m.IsSet() {
			t.Errorf("%q: read as %s", in, m.At(now))
		}
	}
	if at := (config.Moment{}).At(now); !at.IsZero() {
		t.Errorf("unset: %s", at)
	}
}

func TestSize(t *testing.T) {
	tests := []struct {
		in   string
		want config.Size
		out  string
	}{
		{"2GiB", 2 << 30, "2GiB"},
		{"1.5 gib", 3 << 29, "1536MiB"},
		{"500MB", 500e6, "500MB"},
		{"1048576", 1 << 20, "1MiB"},
		{"100B", 100, "100"},
		{"0", 0, "0"},
	}
	for _, test := range tests {
		var s config.Size
		if err := s.Set(test.in); err != nil || s != test.want || s.String() != test.out {
			t.Errorf("%q: %d (%s), %v, want %d (%s)", test.in, int64(s), s, err, int64(test.want), test.out)
		}
	}
	for _, in := range []string{"", "B", "2G", "-1", "1.5", "1e3", "0x10", "two", "9000000TiB", "Inf", "NaN"} {
		var s config.Size
		if err := s.Set(in); err == nil {
			t.Errorf("%q: read as %d", in, int64(s))
		}
	}
}

func TestTimeOfDay(t *testing.T) {
	var digest config.TimeOfDay
	if err := digest.Set("2:30"); err != nil || digest.String() != "02:30" {
		t.Fatalf("%s, %v", digest, err)
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, now, want string }{
		{"later today", "2026-11-22T05:00:00Z", "2026-11-22T07:30:00Z"},
		{"at that time: tomorrow", "2026-11-22T07:30:00Z", "2026-11-23T07:30:00Z"},
		{"tomorrow", "2026-11-22T15:00:00Z", "2026-11-23T07:30:00Z"},
		{"skipped by the clocks: an hour earlier", "2026-03-08T06:00:00Z", "2026-03-08T06:30:00Z"},
	}
	for _, test := range tests {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := digest.After(now, newYork).Format(time.RFC3339); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	for _, in := range []string{"", "7", "24:00", "07:60", "7am"} {
		if err := digest.Set(in); err == nil {
			t.Errorf("%q: read as %s", in, digest)
		}
	}
}

func TestHTTPAddr(t *testing.T) {
	for in, enabled := range map[string]bool{":8081": true, "127.0.0.1:0": true, "[::1]:80": true, "off": false, " OFF ": false} {
		var a config.HTTPAddr
		if err := a.Set(in); err != nil || a.Enabled() != enabled {
			t.Errorf("%q: %s, %v", in, a, err)
		}
	}
	for _, in := range []string{"", "8081", "localhost", ":http", ":65536", "on"} {
		var a config.HTTPAddr
		if err := a.Set(in); err == nil {
			t.Errorf("%q: read as %s", in, a)
		}
	}
}

func TestFile(t *testing.T) {
	path := write(t, "x")
	var f config.File
	if err := f.Set(" " + path + "\n"); err != nil || string(f) != path {
		t.Errorf("%s, %v", f, err)
	}
	for _, in := range []string{"", filepath.Dir(path), path + ".missing"} {
		if err := f.Set(in); err == nil {
			t.Errorf("%q: read as %s", in, f)
		}
	}
}

func TestLocation(t *testing.T) {
	var zone config.Location
	if zone.IsSet() || zone.Zone() != nil || zone.String() != "" {
		t.Errorf("unset: %v", zone)
	}
	for _, in := range []string{"", "Local", "UTC-5", "Bogota", "../etc/passwd"} {
		if err := zone.Set(in); err == nil {
			t.Errorf("%q: read as %s", in, zone)
		}
	}
	if err := zone.Set("America/Bogota"); err != nil || zone.Zone().String() != "America/Bogota" {
		t.Errorf("%s, %v", zone, err)
	}
}

func TestMap(t *testing.T) {
	var m config.Map
	if err := m.Set("url: https://x:1 ,,b:c"); err != nil || m["url"] != "https://x:1" || m["b"] != "c" || len(m) != 2 {
		t.Errorf("%v, %v", m, err)
	}
	for _, in := range []string{"a", "a:", ":b", "a:b,a:c"} {
		if err := m.Set(in); err == nil {
			t.Errorf("%q: read as %v", in, m)
		}
	}
}

func TestCheckURLDoesNotShowTheURL(t *testing.T) {
	for _, text := range []string{"hush", "ftp://hush/x", "https://", "https://hush\x7f/", "://hush"} {
		err := config.CheckURL(text, "http", "https")
		if err == nil || err.Error() != "is not a URL with a host (http://…, https://…)" {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := config.CheckURL("https://user:hush@example.com/x", "https"); err != nil {
		t.Error(err)
	}
}
