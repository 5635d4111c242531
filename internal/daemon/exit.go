package daemon

import (
	"errors"

	"unconnected/internal/config"
)

// Exit codes of every program.
const (
	codeFine    = 0 // or stopped by a signal
	codeFailure = 1 // the work failed
	codeUsage   = 2 // wrong usage or configuration
)

// ExitError is an error that chooses the exit code of the program. It is printed as it is, so its text is for the
// person who started the program.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string { return e.Err.Error() }

// Unwrap returns the error within.
func (e *ExitError) Unwrap() error { return e.Err }

// Usage marks an error as one of usage or configuration: exit code 2. Such errors show only when the work has begun,
// for instance when what is stored contradicts the configuration.
func Usage(err error) error {
	return &ExitError{Code: codeUsage, Err: err}
}

// Code is the exit code of a program that ends with err.
func Code(err error) int {
	var (
		exit     *ExitError
		problems config.Problems
	)
	switch {
	case err == nil:
		return codeFine
	case errors.As(err, &exit):
		return exit.Code
	case errors.As(err, &problems):
		return codeUsage
	default:
		return codeFailure
	}
}
