package doctor

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/diagnosis"
)

// The oldest server that can do what is needed here: keys with a time to live of their own, for leases.
const (
	leastMajor = 2
	leastMinor = 11
)

// judgeVersion takes what the server says of itself, such as 2.11.4 or 2.12.0-beta.1.
func judgeVersion(version string) diagnosis.Finding {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) == 3 {
		major, err := strconv.Atoi(parts[0])
		minor, err2 := strconv.Atoi(parts[1])
		if err == nil && err2 == nil {
			if major > leastMajor || major == leastMajor && minor >= leastMinor {
				return diagnosis.Ok("version", "nats-server %s", version)
			}
			return diagnosis.Fail("version", "upgrade the server", "nats-server %s is older than %d.%d, which leases need (keys that expire)",
				version, leastMajor, leastMinor)
		}
	}
	return diagnosis.Warn("version", "it should be 2.11 or later", "the server calls its version %q", version)
}

// capacity is what the server lets this account store, and what the streams of the settings still want of it.
type capacity struct {
	account *jetstream.AccountInfo // nil when err is not
	err     error
	server  *storing                 // nil when that is not visible
	missing []jetstream.StreamConfig // streams of the settings that are not there
}

// lack notes which streams are missing.
func (c *capacity) lack(all []stream) {
	for i := range all {
		if all[i].missing() {
			c.missing = append(c.missing, all[i].want)
		}
	}
}

// wanted is how many bytes the missing streams reserve: of a server, which holds one copy at the most, and of the account,
// which has all of them.
func (c *capacity) wanted() (server, account uint64) {
	for _, stream := range c.missing {
		bytes := uint64(max(0, stream.MaxBytes))
		server += bytes
		account += bytes * uint64(max(1, stream.Replicas))
	}
	return server, account
}

// fullFrom is the part of the account's room from which on it is worth a warning.
const fullFrom = 0.80

func judgeCapacity(c capacity) diagnosis.Finding {
	const check = "jetstream"
	stuck, is := Stuck(check, c.err)
	switch {
	case errors.Is(c.err, jetstream.ErrJetStreamNotEnabled):
		return diagnosis.Fail(check, "start the server with JetStream (-js); if it was on, its disk is full: free space and restart it",
			"the server has no JetStream, which keeps the history")
	case errors.Is(c.err, jetstream.ErrJetStreamNotEnabledForAccount):
		return diagnosis.Fail(check, "enable JetStream for the account of this user", "this account has no JetStream, which keeps the history")
	case is:
		return stuck
	case c.err != nil:
		return diagnosis.Skip(check, "look yourself: `nats account info` as a user who may", "the account's limits are not visible: %v", c.err)
	}
	limits := c.account.Limits
	here, want := c.wanted()
	reserved := max(c.account.ReservedStore, c.account.Store)
	const room = "raise it (max_file_store, or the account's limit), or lower HISTORY_MAX_BYTES"
	switch {
	case c.server != nil && here > 0 && c.server.JetStream.Stats.ReservedStore+here > uint64(max(0, c.server.JetStream.Config.MaxStore)):
		return diagnosis.Fail(check, room, "streams that are missing reserve %s, but of the server's %s storage %s are reserved",
			diagnosis.Bytes(here), diagnosis.Bytes(uint64(max(0, c.server.JetStream.Config.MaxStore))), diagnosis.Bytes(c.server.JetStream.Stats.ReservedStore))
	case limits.MaxStore >= 0 && want > 0 && reserved+want > uint64(limits.MaxStore):
		return diagnosis.Fail(check, room, "streams that are missing reserve %s, but of the account's %s storage %s are taken", diagnosis.Bytes(want), diagnosis.Bytes(uint64(limits.MaxStore)), diagnosis.Bytes(reserved))
	case limits.MaxStore > 0 && float64(c.account.Store) >= fullFrom*float64(limits.MaxStore):
		return diagnosis.Warn(check, "raise it, or lower HISTORY_MAX_BYTES: when it is full nothing more is stored",
			"%s of %s storage are used", diagnosis.Bytes(c.account.Store), diagnosis.Bytes(uint64(limits.MaxStore)))
	case limits.MaxStreams > 0 && c.account.Streams+len(c.missing) > limits.MaxStreams:
		return diagnosis.Fail(check, "raise the account's limit on streams",
			"%d streams are missing, and the account may have %d and has %d", len(c.missing), limits.MaxStreams, c.account.Streams)
	}
	return diagnosis.Ok(check, "%s stored, %s, %s and %s", diagnosis.Bytes(c.account.Store), limitOf(limits.MaxStore),
		diagnosis.Plural(c.account.Streams, "stream"), diagnosis.Plural(c.account.Consumers, "consumer"))
}

func limitOf(n int64) string {
	if n <= 0 {
		return "no limit for this account"
	}
	return "of " + diagnosis.Bytes(uint64(n))
}

// clockTolerance is how far the clocks of this host and of the server may differ: alerts compare when windows were stored
// with when they were.
const clockTolerance = 5 * time.Second

// judgeClock takes by how much this host's clock is ahead of the server's, and how long the answer took that told it.
func judgeClock(ahead, took time.Duration) diagnosis.Finding {
	if ahead.Abs() <= clockTolerance+took {
		return diagnosis.Ok("clock", "this host's and the server's agree")
	}
	way := "ahead of"
	if ahead < 0 {
		way = "behind"
	}
	return diagnosis.Warn("clock", "synchronise both (NTP): the age of windows decides whether an alert is posted",
		"this host's clock is %s %s the server's", diagnosis.Lasting(ahead), way)
}
