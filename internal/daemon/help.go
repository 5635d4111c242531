package daemon

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"unconnected/internal/config"
)

// width is the number of columns that --help takes at most.
const width = 100

// help is the text of --help.
func (p Program) help() string {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(p.About, "\n\n") {
		b.WriteString(strings.Join(wrap(paragraph, width), "\n") + "\n\n")
	}
	fmt.Fprintf(&b, "Usage: %s [--help | --version | --healthcheck]\n\n", p.Name)
	b.WriteString("  --help         print this\n" +
		"  --version      print the build\n" +
		"  --healthcheck  ask the daemon at HTTP_ADDR whether it is alive: exit code 0 if it is, 1 if not\n\n" +
		"Environment (empty means unset):\n\n")
	b.WriteString(DescribeVariables(p.variables()))
	return b.String()
}

// variables lists what the program reads, what all daemons read first.
func (p Program) variables() []config.Variable {
	defaults := config.Defaults(p.Defaults)
	vars := config.Describe(&Settings{}, defaults)
	for _, v := range config.Describe(p.Config, defaults) {
		if !slices.Contains(vars, v) {
			vars = append(vars, v)
		}
	}
	return vars
}

// DescribeVariables lists variables with their defaults and meanings in two aligned columns.
func DescribeVariables(vars []config.Variable) string {
	column := 0
	for _, v := range vars {
		column = max(column, len(v.Name))
	}
	var b strings.Builder
	for _, v := range vars {
		name := v.Name
		for _, line := range wrap(meaning(v), width-column-4) {
			fmt.Fprintf(&b, "  %-*s  %s\n", column, name, line)
			name = ""
		}
	}
	return b.String()
}

// meaning is what --help says about a variable.
func meaning(v config.Variable) string {
	text := v.Meaning
	if v.Secret {
		text += "; secret, or " + v.Name + "_FILE with the path of a file"
	}
	if v.Alt != "" {
		text += "; " + v.Alt + " is accepted too"
	}
	switch {
	case v.Default != "":
		text += " (default " + v.Default + ")"
	case v.Unset != "":
		text += " (default: " + v.Unset + ")"
	}
	return text
}

// wrap breaks a text into lines of at most the columns given, where its words allow. There is at least one line.
func wrap(text string, columns int) []string {
	var (
		lines []string
		line  string
	)
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= columns:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}
