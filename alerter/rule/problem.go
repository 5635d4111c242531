package rule

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a rules file.
type Problem struct {
	File   string // as it was given to Load or Parse
	Line   int    // from 1; 0 when the problem is not in a line, such as a file that cannot be read
	Column int    // from 1, in characters; 0 when Line is
	Text   string // what is wrong, and what would be right
}

// String is the problem on one line, "file:line:column: text", which editors can jump to.
func (p Problem) String() string {
	text := strings.NewReplacer("\r", "", "\n", " ").Replace(p.Text)
	if p.Line == 0 {
		return p.File + ": " + text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, text)
}

// Problems is everything that is wrong with the rules, in the order of the files, as an error.
type Problems []Problem

// Error has one line per problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// err is p as an error, nil when there is no problem.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
