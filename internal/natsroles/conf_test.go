package natsroles_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"unconnected/internal/natsroles"
)

var update = flag.Bool("update", false, "write deploy/nats/users.conf")

// TestUsersConf: the file that deployments include is the one that the roles give.
func TestUsersConf(t *testing.T) {
	const file = "../../deploy/nats/users.conf"
	var want bytes.Buffer
	if err := natsroles.WriteConf(&want, natsroles.Password); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	is, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(is, want.Bytes()) {
		t.Errorf("%s is not what the roles give; go test ./internal/natsroles -update writes it", file)
	}
}
