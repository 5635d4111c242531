package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReplacedFile: who may not read a file may not read what it was before, such as the passwords that somebody wrote into it.
func TestReplacedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.conf")
	for _, content := range []string{"first", "second", "third"} {
		before, err := replaceFile(path, []byte(content))
		if err != nil || (before == "") != (content == "first") {
			t.Fatalf("%s: %q, %v", content, before, err)
		}
		if content == "second" { // the copy that everybody may read is there already
			if err := os.Chmod(path, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	was, err := os.ReadFile(path + ".old")
	if err != nil || string(was) != "second" {
		t.Errorf("it was %q, %v", was, err)
	}
	for _, name := range []string{path, path + ".old"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}
