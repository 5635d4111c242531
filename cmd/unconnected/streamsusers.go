package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nkeys"

	"unconnected/internal/natsroles"
)

// streamsUsers writes what a nats-server must know of the users. It connects to none.
type streamsUsers struct {
	Generate string `placeholder:"DIR" help:"Write DIR/users.conf for the server, which holds no secret, and a key for each role: DIR/producer.nk and so on. Keys that are there are kept."`
}

// Run prints the users with passwords from the server's environment, or makes keys.
func (c *streamsUsers) Run(t *terminal) error {
	if c.Generate == "" {
		return natsroles.WriteConf(t.stdout, natsroles.Password)
	}
	if err := os.MkdirAll(c.Generate, 0o700); err != nil {
		return fmt.Errorf("--generate: %w", err)
	}
	identities := make(map[string]natsroles.Identity)
	for _, role := range natsroles.Roles() {
		path := filepath.Join(c.Generate, role.Name+".nk")
		public, made, err := userKey(path)
		if err != nil {
			return fmt.Errorf("--generate: key of %s: %w", role.Name, err)
		}
		identities[role.Name] = natsroles.Nkey(public)
		fmt.Fprintf(t.stdout, "%s  %s; whoever %s sets NATS_CREDS to it\n", path, map[bool]string{true: "is new", false: "is kept"}[made], role.For)
	}
	var conf bytes.Buffer
	if err := natsroles.WriteConf(&conf, func(role string) natsroles.Identity { return identities[role] }); err != nil {
		return err
	}
	path := filepath.Join(c.Generate, "users.conf")
	before, err := replaceFile(path, conf.Bytes())
	if err != nil {
		return fmt.Errorf("--generate: %w", err)
	}
	fmt.Fprintf(t.stdout, "%s  is written; include it in the server's configuration, and reload the server\n", path)
	if before != "" {
		fmt.Fprintf(t.stdout, "%s  is what it was before; what you had added to it is gone from the new one: add it again\n", before)
	}
	return nil
}

// replaceFile writes a file that everybody may read, unless somebody has made that narrower. Other content that it had is kept, in
// the file whose name is returned, which nobody else may read than before.
func replaceFile(path string, content []byte) (before string, err error) {
	is, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	case bytes.Equal(is, content):
		return "", nil
	default:
		before = path + ".old"
		if err := keep(path, before, is); err != nil {
			return "", err
		}
	}
	return before, os.WriteFile(path, content, 0o644)
}

// keep writes the content of a file to another one, with the rights of the first.
func keep(path, as string, content []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.Remove(as); err != nil && !errors.Is(err, fs.ErrNotExist) { // it would keep its rights
		return err
	}
	return os.WriteFile(as, content, info.Mode().Perm())
}

// userKey is the public half of the key in a file, which is made if it is missing.
func userKey(path string) (public string, made bool, err error) {
	seed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		made = true
		seed, err = newSeed(path)
	}
	if err != nil {
		return "", false, err
	}
	pair, err := nkeys.ParseDecoratedUserNKey(seed)
	if err != nil {
		return "", false, fmt.Errorf("%s holds no seed of a user: %w", path, err)
	}
	defer pair.Wipe()
	public, err = pair.PublicKey()
	return public, made, err
}

// newSeed makes a key and keeps its seed in a file that only its owner can read.
func newSeed(path string) ([]byte, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	defer pair.Wipe()
	own, err := pair.Seed()
	if err != nil {
		return nil, err
	}
	seed := append(bytes.Clone(own), '\n') // Wipe clears its own
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = file.Write(seed)
	return seed, errors.Join(err, file.Close())
}
