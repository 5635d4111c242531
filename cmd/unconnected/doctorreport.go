package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"unconnected/internal/diagnosis"
)

// doctorReport is what a checkup found.
type doctorReport struct {
	Findings diagnosis.Findings `json:"findings"`
	Requests int64              `json:"requests"` // that were sent to the API
}

// print tells it in lines, or as one document.
func (r *doctorReport) print(t *terminal, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(t.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(struct {
			*doctorReport
			OK       int `json:"ok"`
			Warnings int `json:"warnings"`
			Failed   int `json:"failed"`
			Skipped  int `json:"skipped"`
		}{r, r.Findings.Count(diagnosis.OK), r.Findings.Count(diagnosis.Warning), r.Findings.Count(diagnosis.Failed), r.Findings.Count(diagnosis.Skipped)})
	}
	file, _ := t.stdout.(*os.File)
	forPeople := file != nil && term.IsTerminal(int(file.Fd()))
	var b strings.Builder
	if err := r.table(forPeople).write(&b); err != nil {
		return err
	}
	text := b.String() + "\n" + r.summary() + "\n"
	if forPeople && os.Getenv("NO_COLOR") == "" {
		text = coloured(text)
	}
	_, err := fmt.Fprint(t.stdout, text)
	return err
}

// table has a line for each finding, with what to do behind it; for people wrapped, and what to do below.
func (r *doctorReport) table(forPeople bool) *table {
	lines := table{long: !forPeople}
	for _, f := range r.Findings {
		area, detail, next := f.Area, f.Detail, ""
		if f.Operation != "" {
			area += " " + f.Operation
		}
		if f.Next != "" {
			next = "→ " + f.Next
		}
		if !forPeople {
			detail = strings.Join(strings.Fields(detail+" "+next), " ")
			next = ""
		}
		lines.add(string(f.Status), area, f.Check, detail)
		if next != "" {
			lines.add("", "", "", next)
		}
	}
	return &lines
}

func (r *doctorReport) summary() string {
	text := fmt.Sprintf("%d ok, %s, %d failed", r.Findings.Count(diagnosis.OK), diagnosis.Plural(r.Findings.Count(diagnosis.Warning), "warning"),
		r.Findings.Count(diagnosis.Failed))
	if n := r.Findings.Count(diagnosis.Skipped); n > 0 {
		text += fmt.Sprintf(", %d skipped", n)
	}
	if r.Requests > 0 {
		text += fmt.Sprintf("; %s to the API", diagnosis.Plural(int(r.Requests), "request"))
	}
	return text
}

// colours are of a status at the beginning of a line.
var colours = map[diagnosis.Status]string{diagnosis.OK: "\033[32m", diagnosis.Warning: "\033[33m", diagnosis.Failed: "\033[1;31m", diagnosis.Skipped: "\033[2m"}

func coloured(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		for status, colour := range colours {
			if rest, found := strings.CutPrefix(line, string(status)+" "); found {
				lines[i] = colour + string(status) + "\033[0m " + rest
			}
		}
	}
	return strings.Join(lines, "")
}
