package evaluate_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"unconnected/alerter/evaluate"
	"unconnected/alerter/rule"
	"unconnected/events"
)

// moreRules are one on ticks, and one that would fire too early if it were forgotten which windows count.
const moreRules = `  - {alert: Away, expr: missing, severity: critical}
  - {alert: Eager, expr: share.congestion >= 0.2 && total >= 50, for: 2 of 6}
`

// TestARestartFromASnapshotChangesNothing: whoever begins with a snapshot of any earlier message and folds the rest gives the
// transitions of an uninterrupted run, at messages and at ticks.
func TestARestartFromASnapshotChangesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set   *rule.Set
		seeds uint64
		log   func(r *rand.Rand) string
	}{
		"several rules": {rules(t, severalRules+moreRules), 100, func(r *rand.Rand) string { return randomScript(r, 80) }},
		"the pack":      {rule.Builtin(), 20, func(r *rand.Rand) string { return "q*45 " + randomScript(r, 100) + " q*5 H*4 q*9" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ticked := 0
			for seed := range c.seeds {
				r := rand.New(rand.NewPCG(seed, 5))
				text := c.log(r)
				log := parseScript(text)
				never := func() bool { return false }
				want := runTicking(t, rand.New(rand.NewPCG(seed, 6)), c.set, log, never)
				got := runTicking(t, rand.New(rand.NewPCG(seed, 6)), c.set, log, func() bool { return r.IntN(3) == 0 })
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d, log %s\ngot  %s\nwant %s", seed, text, story(got), story(want))
				}
				for _, a := range want {
					if a.Cause.Tick != 0 {
						ticked++
					}
				}
			}
			if ticked == 0 {
				t.Error("no tick has changed anything")
			}
		})
	}
}

// runTicking runs with a tick behind every message, early or late as chance has it. When dies says so, the operation begins
// anew with the last snapshot; one is taken now and then.
func runTicking(t *testing.T, chance *rand.Rand, set *rule.Set, log []events.Event, dies func() bool) (all []events.Alert) {
	operation, published := evaluate.New("default", set, options), map[string]events.Alert{}
	var snapshot []byte
	behind := 0 // messages that the snapshot stands for
	for i := range log {
		operation.Apply(&log[i])
		all = publish(all, published, operation.Transitions(published, cause(log[i].Sequence), "en"))
		now := log[i].Stored.Add(time.Duration(chance.IntN(40)) * time.Minute)
		operation.Tick(evaluate.Tick{Now: now, Connected: log[0].Stored})
		at := events.Cause{Sequence: log[i].Sequence, Tick: now.Unix()}
		all = publish(all, published, operation.TickTransitions(published, at, "en"))
		if chance.IntN(5) == 0 {
			snapshot, behind = must(operation.MarshalBinary()), i+1
		}
		if dies() {
			operation = evaluate.New("default", set, options)
			from := 0
			if snapshot != nil {
				if err := operation.UnmarshalBinary(snapshot); err != nil {
					t.Fatal(err)
				}
				if again := must(operation.MarshalBinary()); !bytes.Equal(again, snapshot) {
					t.Fatalf("message %d: the snapshot of the restored state is another", i)
				}
				from = behind
			}
			for j := from; j <= i; j++ {
				operation.Apply(&log[j])
			}
		}
	}
	return all
}

// longLog is a log with everything that a log can have, over two weeks.
func longLog() []events.Event {
	return parseScript(randomScript(rand.New(rand.NewPCG(1, 7)), 3000) + " q*900")
}

// TestSnapshotVersion: when this fails because what an operation knows after a log has changed, or how that is written, then
// increase snapshotVersion, or old snapshots will be taken for new ones; and write the new sum here.
func TestSnapshotVersion(t *testing.T) {
	t.Parallel()
	const version, want = 1, "7ecef4172c306977"
	operation := fold(rules(t, severalRules+moreRules+`  - {alert: Usual, expr: 'lift("share.congestion") > 1.5 && total >= 20 && same_time("total", "1d") > 0 && expected_total() > 1'}
  - {alert: Past, expr: 'mean("share.congestion", "2h") > 0.5 && total >= 20'}
`), longLog())
	sum := sha256.Sum256(must(operation.MarshalBinary()))
	if got := hex.EncodeToString(sum[:8]); got != want {
		t.Errorf("version %d has the sum %s, want %s", version, got, want)
	}
}

// TestForeignSnapshots: a snapshot of anything else is refused.
func TestForeignSnapshots(t *testing.T) {
	t.Parallel()
	set := rules(t, severalRules)
	snapshot := must(fold(set, longLog()).MarshalBinary())
	older := options
	older.MaxAge++
	zoned := options
	zoned.Zone = time.UTC
	for name, operation := range map[string]*evaluate.Operation{
		"another operation":  evaluate.New("ventas", set, options),
		"other rules":        evaluate.New("default", rules(t, twoRules), options),
		"another age":        evaluate.New("default", set, older),
		"another zone":       evaluate.New("default", set, zoned),
		"rules in new order": evaluate.New("default", backwards(set), options),
	} {
		if err := operation.UnmarshalBinary(snapshot); !errors.Is(err, evaluate.ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := evaluate.New("default", set, options).UnmarshalBinary(snapshot); err != nil {
		t.Error(err)
	}
}

// backwards is a set of the same rules in another order; its hash is the same.
func backwards(set *rule.Set) *rule.Set {
	other := *set
	other.Rules = nil
	for _, r := range set.Rules {
		other.Rules = append([]*rule.Rule{r}, other.Rules...)
	}
	return &other
}

// FuzzSnapshot: damaged snapshots are refused, or give an operation that goes on.
func FuzzSnapshot(f *testing.F) {
	set := rule.Builtin()
	log := longLog()
	snapshot := must(fold(set, log[:200]).MarshalBinary())
	f.Add(snapshot)
	for i := 0; i < len(snapshot); i += 97 {
		damaged := bytes.Clone(snapshot)
		damaged[i] ^= 0x55
		f.Add(damaged)
		f.Add(snapshot[:i])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		operation := evaluate.New("default", set, options)
		if err := operation.UnmarshalBinary(data); err != nil {
			if !errors.Is(err, evaluate.ErrSnapshot) {
				t.Fatal(err)
			}
			return
		}
		published := map[string]events.Alert{}
		for i := range log[200:260] {
			operation.Apply(&log[200+i])
			_ = operation.Transitions(published, cause(log[200+i].Sequence), "en")
		}
	})
}

// BenchmarkSnapshot says what a snapshot of ten weeks with the built-in rules costs, and how large it is.
func BenchmarkSnapshot(b *testing.B) {
	set := rule.Builtin()
	operation := evaluate.New("default", set, options)
	for _, ev := range parseScript(fmt.Sprint("q*", 10*7*24*12)) {
		operation.Apply(&ev)
	}
	data := must(operation.MarshalBinary())
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			data = must(operation.MarshalBinary())
		}
		b.ReportMetric(float64(len(data)), "bytes")
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := evaluate.New("default", set, options).UnmarshalBinary(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
