package alerter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/internal/natsio"
)

// errStale says that a record was changed by somebody else since it was read.
var errStale = errors.New("somebody else changed the record")

// records is what was done in each channel for each incident: the bucket, and a copy of it in memory. It is safe for
// concurrent use.
type records struct {
	js     jetstream.JetStream
	bucket jetstream.KeyValue
	log    *slog.Logger

	mu     sync.Mutex
	byKey  map[string]record   // guarded by mu
	keysOf map[string][]string // incident's key prefix → keys of its records; guarded by mu
}

// record is an incident.Record and its revision in the bucket, 0 when it is not there yet.
type record struct {
	incident.Record
	revision uint64
}

func newRecords(js jetstream.JetStream, bucket jetstream.KeyValue, log *slog.Logger) *records {
	return &records{js: js, bucket: bucket, log: log, byKey: make(map[string]record), keysOf: make(map[string][]string)}
}

// load reads the whole bucket in place of what was known.
func (r *records) load(ctx context.Context) error {
	watcher, err := r.bucket.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("read %s: %w", r.bucket.Bucket(), err)
	}
	defer func() { _ = watcher.Stop() }() // its consumer is ephemeral
	found := newRecords(r.js, r.bucket, r.log)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, open := <-watcher.Updates():
			if !open {
				return fmt.Errorf("read %s: %w", r.bucket.Bucket(), nats.ErrConnectionClosed)
			}
			if entry == nil { // everything that was there has come
				r.mu.Lock()
				r.byKey, r.keysOf = found.byKey, found.keysOf
				r.mu.Unlock()
				return nil
			}
			if err := found.take(entry); err != nil {
				r.log.Error("left out; its incident may be told again", "error", err)
			}
		}
	}
}

func (r *records) take(entry jetstream.KeyValueEntry) error {
	rec := record{revision: entry.Revision()}
	err := json.Unmarshal(entry.Value(), &rec.Record)
	if err == nil && incident.Key(rec.Incident, rec.Channel) != entry.Key() {
		err = errors.New("it belongs to another key")
	}
	if err != nil {
		return fmt.Errorf("record %s in %s is damaged: %w", entry.Key(), r.bucket.Bucket(), err)
	}
	r.put(entry.Key(), rec)
	return nil
}

func (r *records) put(key string, rec record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	prefix := incident.KeyPrefix(rec.Incident)
	if _, known := r.byKey[key]; !known {
		r.keysOf[prefix] = append(r.keysOf[prefix], key)
	}
	r.byKey[key] = rec
}

// get is the record of an incident in a channel, an empty one when nothing was done.
func (r *records) get(id, channel string) record {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec, ok := r.byKey[incident.Key(id, channel)]; ok {
		return rec
	}
	return record{Record: incident.Record{Incident: id, Channel: channel}}
}

// of are the records of an incident in the channels that have, or may have, a message. A channel where none was ever posted
// has no claim on the incident: the rules say where it belongs now.
func (r *records) of(id string) []incident.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []incident.Record
	for _, key := range r.keysOf[incident.KeyPrefix(id)] {
		if rec := r.byKey[key].Record; rec.Begun() {
			list = append(list, rec)
		}
	}
	return list
}

// store writes a record that was derived from the one of rec.revision. [errStale] means that another one was there, which
// is what get returns from then on.
func (r *records) store(ctx context.Context, rec record) (record, error) {
	key := incident.Key(rec.Incident, rec.Channel)
	value, err := json.Marshal(rec.Record)
	if err != nil {
		return rec, fmt.Errorf("record %s: %w", key, err)
	}
	if rec.revision == 0 { // or somebody has deleted the one before, of which a mark is left
		rec.revision, err = r.bucket.Create(ctx, key, value)
	} else {
		rec.revision, err = r.bucket.Update(ctx, key, value, rec.revision)
	}
	if err == nil {
		r.put(key, rec)
		return rec, nil
	}
	if rereadErr := r.reread(ctx, key, rec.Record); rereadErr != nil {
		return rec, fmt.Errorf("record %s: %w", key, natsio.Explain(r.js, rereadErr))
	}
	if stored := r.get(rec.Incident, rec.Channel); stored.is(value) {
		return stored, nil // only the answer was lost
	}
	if natsio.IsConflict(err) || errors.Is(err, jetstream.ErrKeyExists) {
		return rec, fmt.Errorf("record %s: %w", key, errStale)
	}
	return rec, fmt.Errorf("record %s: %w", key, natsio.Explain(r.js, err))
}

// is tells whether the record is the one that was marshalled to value. Each has times of its own in it.
func (r record) is(value []byte) bool {
	mine, err := json.Marshal(r.Record)
	return err == nil && r.revision != 0 && bytes.Equal(mine, value)
}

// reread takes the stored record into memory. In place of a damaged one goes an empty record, which the next store
// writes over it.
func (r *records) reread(ctx context.Context, key string, of incident.Record) error {
	entry, err := r.bucket.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		r.drop(key)
		return nil
	}
	if err != nil {
		return err
	}
	if r.take(entry) != nil {
		r.put(key, record{incident.Record{Incident: of.Incident, Channel: of.Channel}, entry.Revision()})
	}
	return nil
}

// stale are the ids of groups none of whose members is known any more, and of daily messages of long ago.
func (r *records) stale(known func(id string) bool, now time.Time) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, rec := range r.byKey {
		last := rec.Root.PostedAt
		if intent := rec.Root.Intent; intent != nil {
			last = intent.Deadline
		}
		other := isDigest(rec.Incident) || incident.IsGroup(rec.Incident) && !slices.ContainsFunc(rec.Members, known)
		if other && now.Sub(last) > incident.GiveUp {
			ids = append(ids, rec.Incident)
		}
	}
	return ids
}

// forget drops the records of incidents that are not followed any more. An error means that some are still in the bucket.
func (r *records) forget(ctx context.Context, ids []string) error {
	for _, id := range ids {
		r.mu.Lock()
		keys := slices.Concat(r.keysOf[incident.KeyPrefix(id)], r.keysOf[incident.KeyPrefix(picturePrefix+id)])
		r.mu.Unlock()
		for _, key := range keys {
			if err := r.purge(ctx, key); err != nil {
				return err
			}
			r.drop(key)
		}
	}
	return nil
}

// purge takes a record out of the bucket without leaving a marker behind: nobody watches for it, and markers pile up.
func (r *records) purge(ctx context.Context, key string) error {
	stream, err := r.js.Stream(ctx, natsio.StreamOf(r.bucket.Bucket()))
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject("$KV."+r.bucket.Bucket()+"."+key))
	}
	if err != nil {
		return fmt.Errorf("purge %s from %s: %w", key, r.bucket.Bucket(), err)
	}
	return nil
}

// drop takes a record out of memory.
func (r *records) drop(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, known := r.byKey[key]
	if !known {
		return
	}
	delete(r.byKey, key)
	prefix := incident.KeyPrefix(rec.Incident)
	r.keysOf[prefix] = slices.DeleteFunc(r.keysOf[prefix], func(k string) bool { return k == key })
	if len(r.keysOf[prefix]) == 0 {
		delete(r.keysOf, prefix)
	}
}
