package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

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
	var err error
	if forPeople {
		err = r.forPeople(&b)
	} else {
		err = r.lines().write(&b)
	}
	if err != nil {
		return err
	}
	text := b.String() + "\n" + r.summary() + "\n"
	if forPeople && os.Getenv("NO_COLOR") == "" {
		text = coloured(text)
	}
	_, err = fmt.Fprint(t.stdout, text)
	return err
}

// headingOf is where a finding belongs.
func headingOf(f *diagnosis.Finding) string { return strings.TrimSpace(f.Area + " " + f.Operation) }

// lines is a line for each finding, whole, for grep and the like.
func (r *doctorReport) lines() *table {
	lines := table{long: true}
	for _, f := range r.Findings {
		detail := f.Detail
		if f.Next != "" {
			detail += " → " + f.Next
		}
		lines.add(string(f.Status), headingOf(&f), f.Check, strings.Join(strings.Fields(detail), " "))
	}
	return &lines
}

// forPeople is a heading for each place and a line for each finding, wrapped, with what to do below.
func (r *doctorReport) forPeople(out io.Writer) error {
	widest := 0
	for _, f := range r.Findings {
		widest = max(widest, utf8.RuneCountInString(f.Check))
	}
	for from := 0; from < len(r.Findings); {
		heading := headingOf(&r.Findings[from])
		lines := table{indent: "  "}
		for ; from < len(r.Findings) && headingOf(&r.Findings[from]) == heading; from++ {
			f := &r.Findings[from]
			lines.add(fmt.Sprintf("%-7s", f.Status), fmt.Sprintf("%-*s", widest, f.Check), f.Detail)
			if f.Next != "" {
				lines.add("", "", "→ "+f.Next)
			}
		}
		if _, err := fmt.Fprintln(out, heading); err != nil {
			return err
		}
		if err := lines.write(out); err != nil {
			return err
		}
	}
	return nil
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
			if rest, found := strings.CutPrefix(line, "  "+string(status)+" "); found {
				lines[i] = "  " + colour + string(status) + "\033[0m " + rest
			}
		}
	}
	return strings.Join(lines, "")
}
