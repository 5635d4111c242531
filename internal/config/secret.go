package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"unicode"
)

// redacted stands for the value of a secret wherever one is printed.
const redacted = "[redacted]"

// Secret is a value that must not be seen: a token, a password, a URL with a key in it. It comes from a variable X or
// from the file that X_FILE names. Printing, logging or marshalling it shows [redacted].
//
// A Secret is a handle: copies share the value, so that one [Secret.Reload] serves everybody who holds it. The zero
// Secret is unset. All methods but Set are safe for concurrent use.
type Secret struct {
	// Through one pointer fmt would show the value where it cannot call Format: in unexported fields of other structs.
	state **secretState
}

// secretFile reads a Secret whose variable is the path of a file.
type secretFile Secret

type secretState struct {
	path string // empty when the value itself was given

	mu    sync.RWMutex
	value string // guarded by mu
}

// NewSecret returns a Secret with the value given.
func NewSecret(value string) Secret {
	return newSecret(&secretState{value: value})
}

func newSecret(s *secretState) Secret { return Secret{&s} }

// Set takes the value itself.
func (s *Secret) Set(value string) error {
	value, err := checkSecret(value)
	if err != nil {
		return err
	}
	*s = NewSecret(value)
	return nil
}

// Set takes the path of a file with the value.
func (s *secretFile) Set(path string) error {
	path = strings.TrimSpace(path)
	value, err := readSecret(path)
	if err != nil {
		return err
	}
	*s = secretFile(newSecret(&secretState{path: path, value: value}))
	return nil
}

// Value is the secret itself, empty when unset.
func (s Secret) Value() string {
	if s.state == nil {
		return ""
	}
	return (*s.state).get()
}

func (s *secretState) get() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.value
}

// IsSet reports whether a value was given.
func (s Secret) IsSet() bool { return s.Value() != "" }

// Reload reads the file again, if there is one, and reports whether the value changed: when the other side refuses
// the old value it pays to try again only then. After an error the old value stays.
func (s Secret) Reload() (changed bool, err error) {
	if s.state == nil || (*s.state).path == "" {
		return false, nil
	}
	return (*s.state).reload()
}

func (s *secretState) reload() (changed bool, err error) {
	value, err := readSecret(s.path)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed = value != s.value
	s.value = value
	return changed, nil
}

// Redact replaces the value where it occurs in a text, such as an error that quotes a URL.
func (s Secret) Redact(text string) string {
	if value := s.Value(); value != "" {
		return strings.ReplaceAll(text, value, redacted)
	}
	return text
}

// String does not show the value.
func (s Secret) String() string {
	if s.IsSet() {
		return redacted
	}
	return ""
}

// GoString does not show the value.
func (s Secret) GoString() string { return s.String() }

// Format does not show the value, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue does not show the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText does not show the value; JSON and YAML use it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// readSecret reads the value from a file. Its errors name the file, never what is in it.
func readSecret(path string) (string, error) {
	const most = 64 << 10
	file, err := os.Open(path)
	if err != nil {
		return "", unreadable(path, err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return "", unreadable(path, err)
	}
	if len(content) > most {
		return "", fmt.Errorf("%s is too large for a secret", quote(path))
	}
	value, err := checkSecret(string(content))
	if err != nil {
		return "", fmt.Errorf("%s %w", quote(path), err)
	}
	return value, nil
}

// unreadable says why a file cannot be read, and its name once.
func unreadable(path string, err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return fmt.Errorf("%s cannot be read: %w", quote(path), err)
}

// checkSecret trims the newline at the end and refuses what could not be sent in a header.
func checkSecret(value string) (string, error) {
	value = strings.TrimRight(value, "\r\n")
	if strings.TrimSpace(value) == "" {
		return "", errors.New("is empty")
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return "", errors.New("contains a line break or another control character")
	}
	return value, nil
}
