package natsio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/config"
)

// FirstRetained is the sequence of the oldest message in a stream; 0 when it is empty.
func FirstRetained(info *jetstream.StreamInfo) uint64 {
	if info.State.Msgs == 0 {
		return 0
	}
	return info.State.FirstSeq
}

// Difference is one part in which an existing stream is not as it should be.
type Difference struct {
	Name       string // such as "max age"
	Is, Should string
	Risks      string // what may happen until it is changed; empty: nothing but what the name says
	Loses      string // what is lost when it is changed; empty when nothing is, so that [Amend] changes it
}

func (d Difference) String() string {
	text := fmt.Sprintf("%s is %s, should be %s", d.Name, d.Is, d.Should)
	if d.Risks != "" {
		text += " (" + d.Risks + ")"
	}
	return text
}

// Drift is [Differences] in words; a line each.
func Drift(is, want jetstream.StreamConfig) []string {
	var lines []string
	for _, d := range Differences(is, want) {
		lines = append(lines, d.String())
	}
	return lines
}

// Differences lists how an existing stream differs from the wanted definition, in the parts that this product defines.
func Differences(is, want jetstream.StreamConfig) []Difference {
	var list []Difference
	compare := func(name string, is, want any, loses string) {
		if is != want {
			list = append(list, Difference{Name: name, Is: fmt.Sprint(is), Should: fmt.Sprint(want), Loses: loses})
		}
	}
	compare("subjects", subjects(is), subjects(want), ifNot(isSubset(is.Subjects, want.Subjects), "messages on the subjects that are left out are refused"))
	compare(partReplicas, is.Replicas, want.Replicas, ifNot(is.Replicas < want.Replicas, fewerCopies))
	const older = "the oldest messages are deleted"
	compare("max age", age(is.MaxAge), age(want.MaxAge), ifNot(grows(is.MaxAge, want.MaxAge), older))
	compare("max bytes", size(is.MaxBytes), size(want.MaxBytes), ifNot(grows(is.MaxBytes, want.MaxBytes), older))
	compare("max messages", is.MaxMsgs, want.MaxMsgs, ifNot(grows(is.MaxMsgs, want.MaxMsgs), older))
	compare("max messages per subject", is.MaxMsgsPerSubject, want.MaxMsgsPerSubject, ifNot(grows(is.MaxMsgsPerSubject, want.MaxMsgsPerSubject), older))
	const another = "it takes another stream, and all of the messages"
	compare("storage", is.Storage, want.Storage, another)
	compare("retention", is.Retention, want.Retention, another)
	compare("discard", is.Discard, want.Discard, "messages may be deleted, or refused, that are not now")
	compare("allow direct", is.AllowDirect, want.AllowDirect, "")
	compare("deny delete", is.DenyDelete, want.DenyDelete, ifNot(want.DenyDelete, "the protection"))
	compare("deny purge", is.DenyPurge, want.DenyPurge, ifNot(want.DenyPurge, "the protection"))
	compare("compression", is.Compression, want.Compression, "")
	for i := range list {
		if list[i].Name == "compression" && is.Replicas > 1 && is.Compression == jetstream.S2Compression {
			list[i].Risks = "a copy that is killed may lose its newest messages" // see events.CallsStream
		}
	}
	return list
}

// unlimited is a limit that is none.
const unlimited = "without limit"

// age is a limit as HISTORY_MAX_AGE has it.
func age(d time.Duration) string {
	if d <= 0 {
		return unlimited
	}
	return config.Duration(d).String()
}

// size is a limit as HISTORY_MAX_BYTES has it.
func size(n int64) string {
	if n <= 0 {
		return unlimited
	}
	return config.Size(n).String()
}

const (
	partReplicas = "replicas"
	fewerCopies  = "copies are deleted"
)

func subjects(c jetstream.StreamConfig) string {
	return fmt.Sprint(slices.Sorted(slices.Values(c.Subjects)))
}

func isSubset(part, whole []string) bool {
	return !slices.ContainsFunc(part, func(subject string) bool { return !slices.Contains(whole, subject) })
}

// grows tells whether a limit leaves room for all that another one does; zero and less mean without limit.
func grows[N interface{ ~int64 }](is, want N) bool { return want <= 0 || is > 0 && want >= is }

func ifNot(harmless bool, loses string) string {
	if harmless {
		return ""
	}
	return loses
}

// ErrLoses is wrapped by the error of [Amend] for a change that loses something.
var ErrLoses = errors.New("a change is refused that loses something; set the variables to what is there, or do it by hand if it is meant (nats stream edit)")

// Amend makes an existing stream what it should be and returns what it has changed. When a single difference loses
// something, nothing is changed.
func Amend(ctx context.Context, js jetstream.JetStream, stream jetstream.Stream, want jetstream.StreamConfig) ([]Difference, error) {
	is := stream.CachedInfo().Config
	drift := Differences(is, want)
	if err := refuseLosses(drift); err != nil || len(drift) == 0 {
		return nil, prefixed("stream "+want.Name, err)
	}
	is.Subjects, is.Replicas = want.Subjects, want.Replicas
	is.MaxAge, is.MaxBytes, is.MaxMsgs, is.MaxMsgsPerSubject = want.MaxAge, want.MaxBytes, want.MaxMsgs, want.MaxMsgsPerSubject
	is.AllowDirect, is.DenyDelete, is.DenyPurge, is.Compression = want.AllowDirect, want.DenyDelete, want.DenyPurge, want.Compression
	if _, err := js.UpdateStream(ctx, is); err != nil {
		return nil, fmt.Errorf("change stream %s: %w", want.Name, explain(Explain(js, err), want))
	}
	return drift, nil
}

// refuseLosses is the error of changing what loses something; nil when nothing does.
func refuseLosses(drift []Difference) error {
	var losses []string
	for _, d := range drift {
		if d.Loses != "" {
			losses = append(losses, d.String()+" ("+d.Loses+")")
		}
	}
	if len(losses) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", strings.Join(losses, "; "), ErrLoses)
}

// prefixed says what an error is about; nil stays nil.
func prefixed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// StreamOf is the stream behind a bucket.
func StreamOf(bucket string) string { return "KV_" + bucket }

// BucketDifferences lists how the stream behind an existing bucket differs from what it should be. Only the number of copies
// is a matter of settings; replicas of 0 mean 1.
func BucketDifferences(is jetstream.StreamConfig, replicas int) []Difference {
	should := max(replicas, 1)
	if is.Replicas == should {
		return nil
	}
	return []Difference{{
		Name: partReplicas, Is: fmt.Sprint(is.Replicas), Should: fmt.Sprint(should), Loses: ifNot(is.Replicas < should, fewerCopies),
	}}
}

// AmendBucket makes an existing bucket what it should be and returns what it has changed. What loses something is refused.
func AmendBucket(ctx context.Context, js jetstream.JetStream, bucket string, replicas int) ([]Difference, error) {
	stream, err := js.Stream(ctx, StreamOf(bucket))
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", bucket, Explain(js, err))
	}
	is := stream.CachedInfo().Config
	drift := BucketDifferences(is, replicas)
	if err := refuseLosses(drift); err != nil || len(drift) == 0 {
		return nil, prefixed("bucket "+bucket, err)
	}
	is.Replicas = max(replicas, 1)
	if _, err := js.UpdateStream(ctx, is); err != nil {
		return nil, fmt.Errorf("change bucket %s: %w", bucket, Explain(js, err))
	}
	return drift, nil
}
