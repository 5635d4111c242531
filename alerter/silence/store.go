package silence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/events"
	"unconnected/internal/natsio"
)

// What may be wrong with a silence that was asked for.
var (
	ErrNotFound = errors.New("there is no such silence")
	ErrOver     = errors.New("the silence is over already")
	ErrTaken    = errors.New("another silence has this id")
	// ErrUnrecorded: the bucket holds what was asked for, but ALERTS did not take the record of it. Do the same again.
	ErrUnrecorded = errors.New("it is in force, but could not be recorded in ALERTS")
)

// storeTimeout bounds one write.
const storeTimeout = 5 * time.Second

// Store is the bucket of silences. It is safe for concurrent use. Use [Open].
type Store struct {
	js     jetstream.JetStream
	bucket jetstream.KeyValue
}

// Open returns the Store on the bucket, which is created if it is missing.
func Open(ctx context.Context, js jetstream.JetStream, replicas int) (*Store, error) {
	bucket, err := natsio.EnsureBucket(ctx, js, natsio.BucketSilences, replicas)
	if err != nil {
		return nil, err
	}
	return &Store{js: js, bucket: bucket}, nil
}

// Person is who does something.
type Person struct {
	Name string // as people know them
	User string // as Slack knows them, or ""
}

// Add puts a silence in force and records that. about is the incident that it was made for, or "". The same silence may be
// added again, however often: it stays one. The error is [ErrInvalid], [ErrTaken], [ErrUnrecorded], or why NATS did not take
// it.
func (s *Store) Add(ctx context.Context, wanted incident.Silence, who Person, about string, now time.Time) error {
	wanted.From, wanted.Until = wanted.From.UTC().Truncate(time.Second), wanted.Until.UTC().Truncate(time.Second)
	wanted.By = who.Name
	if err := Validate(&wanted, now); err != nil {
		return err
	}
	value, err := json.Marshal(wanted)
	if err != nil {
		return fmt.Errorf("silence %s: %w", wanted.ID, err)
	}
	writing, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err = s.bucket.Create(writing, wanted.ID, value, jetstream.KeyTTL(timeToLive(&wanted, now)))
	if errors.Is(err, jetstream.ErrKeyExists) {
		err = s.isSame(writing, &wanted)
	}
	if err != nil {
		return fmt.Errorf("silence %s: %w", wanted.ID, natsio.Explain(s.js, err))
	}
	done := events.Action{
		Action: events.Silenced, Operation: wanted.Operation, Incident: about, Rules: wanted.Rules, Key: wanted.ID,
		By: who.Name, User: who.User, At: now, Until: &wanted.Until, Reason: wanted.Reason,
	}
	if wanted.From.Sub(now) >= time.Minute { // else it is a clock of Slack's that is ahead of ours
		done.From = &wanted.From
	}
	return s.record(ctx, &done)
}

// isSame tells whether the silence that is stored under the id is the wanted one, which may have been ended since.
func (s *Store) isSame(ctx context.Context, wanted *incident.Silence) error {
	stored, _, err := s.get(ctx, wanted.ID)
	if err != nil {
		return err
	}
	same := stored.Operation == wanted.Operation && stored.From.Equal(wanted.From) && stored.By == wanted.By &&
		slices.Equal(stored.Rules, wanted.Rules)
	if !same {
		return ErrTaken
	}
	return nil
}

// timeToLive is for how long the bucket keeps a silence: so it cleans itself up.
func timeToLive(s *incident.Silence, now time.Time) time.Duration {
	return max(s.Until.Sub(now), 0).Round(time.Second) + keptAfter
}

// Expire ends a silence now, and records that. It returns the silence as it is then. The error is [ErrNotFound], [ErrOver],
// [ErrUnrecorded], or why NATS did not take it.
func (s *Store) Expire(ctx context.Context, id string, who Person, now time.Time) (incident.Silence, error) {
	now = now.UTC().Truncate(time.Second)
	writing, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	stored, revision, err := s.get(writing, id)
	if err != nil {
		return stored, fmt.Errorf("silence %.80s: %w", id, natsio.Explain(s.js, err))
	}
	if !stored.Until.After(now) {
		return stored, fmt.Errorf("silence %s: %w (since %s)", id, ErrOver, stored.Until.Format(time.RFC3339))
	}
	stored.Until = now
	stored.From = minTime(stored.From, now)
	if err := s.put(writing, &stored, revision, now); err != nil {
		return stored, fmt.Errorf("silence %s: %w", id, natsio.Explain(s.js, err))
	}
	return stored, s.record(ctx, &events.Action{
		Action: events.Unsilenced, Operation: stored.Operation, Key: id, By: who.Name, User: who.User, At: now,
	})
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// put writes a silence over the revision it was made of. The bucket's own Update would drop the time to live.
func (s *Store) put(ctx context.Context, silence *incident.Silence, revision uint64, now time.Time) error {
	value, err := json.Marshal(silence)
	if err != nil {
		return err
	}
	msg := nats.NewMsg("$KV." + s.bucket.Bucket() + "." + silence.ID)
	msg.Data = value
	_, err = s.js.PublishMsg(ctx, msg,
		jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithMsgTTL(timeToLive(silence, now)))
	return err
}

func (s *Store) get(ctx context.Context, id string) (silence incident.Silence, revision uint64, err error) {
	if !validID.MatchString(id) {
		return silence, 0, ErrNotFound
	}
	entry, err := s.bucket.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return silence, 0, ErrNotFound
	}
	if err != nil {
		return silence, 0, err
	}
	silence, err = decode(entry)
	return silence, entry.Revision(), err
}

func decode(entry jetstream.KeyValueEntry) (incident.Silence, error) {
	var silence incident.Silence
	err := json.Unmarshal(entry.Value(), &silence)
	if err == nil && silence.ID != entry.Key() {
		err = errors.New("it belongs to another key")
	}
	if err != nil {
		return silence, fmt.Errorf("silence %s in %s is damaged: %w", entry.Key(), entry.Bucket(), err)
	}
	return silence, nil
}

// List reads all silences that are kept, those included that are over since less than a day, what ends first before what
// ends later. Damaged ones are left out.
func (s *Store) List(ctx context.Context) ([]incident.Silence, error) {
	found := make(map[string]incident.Silence)
	watcher, err := s.bucket.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.bucket.Bucket(), natsio.Explain(s.js, err))
	}
	defer func() { _ = watcher.Stop() }() // its consumer is ephemeral
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case entry, open := <-watcher.Updates():
			if !open {
				return nil, fmt.Errorf("read %s: %w", s.bucket.Bucket(), nats.ErrConnectionClosed)
			}
			if entry == nil { // everything that was there has come
				return sorted(found), nil
			}
			if silence, err := decode(entry); err == nil {
				found[entry.Key()] = silence
			}
		}
	}
}

func sorted(silences map[string]incident.Silence) []incident.Silence {
	list := make([]incident.Silence, 0, len(silences))
	for _, s := range silences {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b incident.Silence) int {
		if c := a.Until.Compare(b.Until); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

func (s *Store) record(ctx context.Context, a *events.Action) error {
	if err := Record(ctx, s.js, a); err != nil {
		return fmt.Errorf("%w: %w", ErrUnrecorded, err)
	}
	return nil
}

// Record stores what somebody did in ALERTS. The same deed may be recorded again: within two minutes the stream keeps one
// message of it, and whoever folds the stream takes it for one in any case.
func Record(ctx context.Context, js jetstream.JetStream, a *events.Action) error {
	msg, err := events.EncodeAction(a)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if _, err := js.PublishMsg(ctx, msg, jetstream.WithExpectStream(events.StreamAlerts)); err != nil {
		return fmt.Errorf("record %s: %w", a.ID(), natsio.Explain(js, err))
	}
	return nil
}
