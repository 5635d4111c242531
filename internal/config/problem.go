package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	Name string // the variable
	Text string // what is wrong with it, and an example of a right value
}

// Problemf makes a Problem from a format. Never give it the value of a secret.
func Problemf(name, format string, args ...any) Problem {
	return Problem{Name: name, Text: fmt.Sprintf(format, args...)}
}

// String is the problem on one line.
func (p Problem) String() string {
	line := p.Name + ": " + p.Text
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(line)
}

// Problems is everything that is wrong with the configuration, as an error.
type Problems []Problem

// Error has one line per problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Err is p without repetitions, or nil when there is no problem.
func (p Problems) Err() error {
	var distinct Problems
	for _, problem := range p {
		if !slices.Contains(distinct, problem) {
			distinct = append(distinct, problem)
		}
	}
	if len(distinct) == 0 {
		return nil
	}
	return distinct
}

// Join makes one error of several calls of [Load]. It is nil when all are, of type [Problems] when all others are,
// and what errors.Join makes of them otherwise.
func Join(errs ...error) error {
	var all Problems
	for _, err := range errs {
		var some Problems
		switch {
		case err == nil:
		case errors.As(err, &some):
			all = append(all, some...)
		default:
			return errors.Join(errs...)
		}
	}
	return all.Err()
}
