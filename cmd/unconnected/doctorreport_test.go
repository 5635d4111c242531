package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"unconnected/internal/diagnosis"
)

// someFindings has two places, one of them with what to do.
func someFindings() doctorReport {
	nats := diagnosis.Findings{diagnosis.Ok("connection", "nats://127.0.0.1:4222")}
	api := diagnosis.Findings{
		diagnosis.Ok("token", "accepted"),
		diagnosis.Fail("zone", strings.Repeat("set the zone ", 12), "there are calls in\nthe future"),
	}
	return doctorReport{Findings: append(nats.In(areaNATS, ""), api.In(areaWolkvox, "ventas")...), Requests: 7}
}

// TestDoctorLines: for programs each finding is one line, whatever is in it.
func TestDoctorLines(t *testing.T) {
	r := someFindings()
	var out bytes.Buffer
	if err := r.print(&terminal{stdout: &out}, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	want := []string{"ok      nats            connection  nats://127.0.0.1:4222", "ok      wolkvox ventas  token       accepted"}
	if len(lines) != 6 || lines[0] != want[0] || lines[1] != want[1] || !strings.HasPrefix(lines[2], "failed  wolkvox ventas  zone        there are calls in the future → set the zone set") {
		t.Errorf("%q", lines)
	}
	if lines[4] != "2 ok, 0 warnings, 1 failed; 7 requests to the API" {
		t.Errorf("the sum is %q", lines[4])
	}
}

// TestDoctorForPeople: a heading for each place, lines that fit, and what to do below.
func TestDoctorForPeople(t *testing.T) {
	r := someFindings()
	var out bytes.Buffer
	if err := r.forPeople(&out); err != nil {
		t.Fatal(err)
	}
	want := "nats\n" +
		"  ok       connection  nats://127.0.0.1:4222\n" +
		"wolkvox ventas\n" +
		"  ok       token       accepted\n" +
		"  failed   zone        there are calls in the future\n" +
		"                       → set the zone"
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
	for line := range strings.Lines(out.String()) {
		if len([]rune(line)) > columns+1 {
			t.Errorf("too long: %q", line)
		}
	}
	if got := coloured("  ok       token\n  okay     token\nfailed   \n"); got != "  \033[32mok\033[0m       token\n  okay     token\nfailed   \n" {
		t.Errorf("%q", got)
	}
}

func TestJudgeDisk(t *testing.T) {
	const gib = 1 << 30
	tests := []struct {
		name         string
		stored, free uint64
		most         int64
		want         diagnosis.Status
	}{
		{"enough", gib, 2 * gib, 2 * gib, diagnosis.OK},
		{"not for all that may come", 0, 2 * gib, 2 * gib, diagnosis.Warning},
		{"as large as it gets", 3 * gib, gib, 2 * gib, diagnosis.OK},
		{"full", 2 * gib, leastFree - 1, 2 * gib, diagnosis.Failed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := judgeDisk("./data", test.stored, test.free, test.most)
			if f.Status != test.want || f.Status != diagnosis.OK && f.Next == "" {
				t.Errorf("%+v, want %s", f, test.want)
			}
		})
	}
}

// TestExamineDisk: only a directory that up has used says something about the disk of the history.
func TestExamineDisk(t *testing.T) {
	dir := t.TempDir()
	if f := examineDisk(filepath.Join(dir, "data"), 1); f.Status != diagnosis.Skipped {
		t.Errorf("no directory: %+v", f)
	}
	if f := examineDisk(dir, 1); f.Status != diagnosis.Skipped {
		t.Errorf("an empty directory, as the image has: %+v", f)
	}
	if err := os.WriteFile(filepath.Join(dir, "1.blk"), []byte("a window"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := examineDisk(dir, 1); f.Status == diagnosis.Skipped {
		t.Errorf("up has used it: %+v", f)
	}
}

func TestSizeOf(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "demo"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"a": 100, "demo/b": 23} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if size, err := sizeOf(dir); err != nil || size != 123 {
		t.Errorf("%d, %v, want 123", size, err)
	}
}
