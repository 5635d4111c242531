package natsio

import (
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// FirstRetained is the sequence of the oldest message in a stream; 0 when it is empty.
func FirstRetained(info *jetstream.StreamInfo) uint64 {
	if info.State.Msgs == 0 {
		return 0
	}
	return info.State.FirstSeq
}

// Drift lists how an existing stream differs from the wanted definition, in the parts that this product defines; a line
// each: name, what it is, what it should be.
func Drift(is, want jetstream.StreamConfig) []string {
	var lines []string
	compare := func(name string, is, want any) {
		if is != want {
			lines = append(lines, fmt.Sprintf("%s is %v, should be %v", name, is, want))
		}
	}
	subjects := func(c jetstream.StreamConfig) string { return fmt.Sprint(slices.Sorted(slices.Values(c.Subjects))) }
	compare("subjects", subjects(is), subjects(want))
	compare("replicas", is.Replicas, want.Replicas)
	compare("max age", is.MaxAge, want.MaxAge)
	compare("max bytes", is.MaxBytes, want.MaxBytes)
	compare("max messages", is.MaxMsgs, want.MaxMsgs)
	compare("max messages per subject", is.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	compare("storage", is.Storage, want.Storage)
	compare("retention", is.Retention, want.Retention)
	compare("discard", is.Discard, want.Discard)
	compare("allow direct", is.AllowDirect, want.AllowDirect)
	compare("deny delete", is.DenyDelete, want.DenyDelete)
	compare("deny purge", is.DenyPurge, want.DenyPurge)
	compare("compression", is.Compression, want.Compression)
	return lines
}
