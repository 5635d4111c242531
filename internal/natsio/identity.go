package natsio

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"unconnected/internal/config"
)

// ProgramTool is how the operator's tool introduces itself, see [Options].
const ProgramTool = "unconnected"

const inboxRoot = "_INBOX_"

// InboxPrefix begins the subjects on which whoever has the name receives answers. Every user has a prefix of its own, so
// that permissions can keep it from seeing the answers of others. What a subject can't hold becomes a dash.
func InboxPrefix(name string) string {
	return inboxRoot + strings.Map(func(r rune) rune {
		if r == '.' || r == '*' || r == '>' || r <= ' ' || r > '~' {
			return '-'
		}
		return r
	}, name)
}

// inboxPrefix is made of the first that there is: the user's name, its public key, the program's name (its last word).
func inboxPrefix(program string, c *config.NATS) string {
	name := program[strings.LastIndexByte(program, ' ')+1:]
	switch {
	case c.User != "":
		name = c.User
	case isSeed(c.Creds):
		if key, err := publicKey(string(c.Creds)); err == nil { // the connection says what is wrong with it
			name = key
		}
	case userOf(c.URL) != "":
		name = userOf(c.URL)
	}
	return InboxPrefix(name)
}

// userOf is the user that the first server's URL names. What stands there without a password is a token, which is a secret.
func userOf(servers config.List) string {
	if len(servers) == 0 {
		return ""
	}
	_, address, hasScheme := strings.Cut(servers[0], "://")
	if !hasScheme {
		address = servers[0]
	}
	u, err := url.Parse("nats://" + address)
	if err != nil {
		return ""
	}
	if _, set := u.User.Password(); !set {
		return ""
	}
	return u.User.Username()
}

// isSeed tells whether a credentials file holds the seed of a key alone, and no JWT.
func isSeed(file config.File) bool {
	content, err := os.ReadFile(string(file))
	return err == nil && !bytes.Contains(content, []byte("NATS USER JWT"))
}

// credentials is the option for a file with a JWT and a seed, or with the seed alone, which is that of an nkey.
func credentials(file config.File) nats.Option {
	if !isSeed(file) {
		return nats.UserCredentials(string(file)) // read again at each attempt
	}
	return func(o *nats.Options) error {
		option, err := nats.NkeyOptionFromSeed(string(file))
		if err != nil {
			return fmt.Errorf("NATS_CREDS: %s holds neither a JWT with its seed nor the seed of a user's nkey: %w", file, err)
		}
		return option(o)
	}
}

// publicKey is the public half of the seed in a file.
func publicKey(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	pair, err := nkeys.ParseDecoratedNKey(content)
	if err != nil {
		return "", err
	}
	defer pair.Wipe()
	return pair.PublicKey()
}
