package alerter_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/natsio"
)

func (w *world) snapshots() jetstream.KeyValue {
	w.t.Helper()
	bucket, err := w.js.KeyValue(w.t.Context(), natsio.BucketSnapshots)
	if err != nil {
		w.t.Fatal(err)
	}
	return bucket
}

// snapshot is the stored one of an operation; nil when there is none.
func (w *world) snapshot(operation string) []byte {
	w.t.Helper()
	entry, err := w.snapshots().Get(w.t.Context(), operation)
	if err != nil {
		return nil
	}
	return entry.Value()
}

func (w *world) putSnapshot(operation string, data []byte) {
	w.t.Helper()
	if _, err := w.snapshots().Put(w.t.Context(), operation, data); err != nil {
		w.t.Fatal(err)
	}
}

// TestRestartsFromSnapshots: restarts with snapshots of any age, damaged ones, those of another stream, and none, give the
// ALERTS of an uninterrupted run.
func TestRestartsFromSnapshots(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 9))
			history := randomHistory(random, 60)
			begin := time.Now().UTC().Add(-20 * time.Minute).Truncate(windowLength)
			worldOf := func() *world {
				w := newQuietWorld(t)
				w.rules(strings.Replace(demandingRules, "rules:", "extend: builtin\nrules:", 1))
				sameBeginning(w, begin)
				return w
			}
			w := worldOf()
			p := w.start()
			for _, s := range history {
				w.tell(s)
			}
			p.judged(w)
			p.stop()
			want, foreign := w.content(), w.snapshot("default")
			if strings.Count(want, "\n") < 10 || foreign == nil {
				t.Fatalf("the history is too quiet to tell anything:\n%s", want)
			}

			w = worldOf()
			p = w.start()
			var old []byte
			for _, s := range history {
				w.tell(s)
				if random.IntN(3) > 0 {
					continue
				}
				if random.IntN(2) == 0 {
					p.judged(w)
				}
				if random.IntN(3) == 0 {
					p.kill() // without a snapshot
				} else {
					p.stop()
				}
				present := w.snapshot("default")
				switch random.IntN(6) {
				case 0:
					w.putSnapshot("default", foreign)
				case 1:
					w.putSnapshot("default", append(present[:len(present)/2:len(present)/2], 7))
				case 2:
					if old != nil {
						w.putSnapshot("default", old)
					}
				case 3:
					old = present
				}
				p = w.start()
			}
			p.judged(w)
			if got := w.content(); got != want {
				t.Errorf("ALERTS holds\n%s\nwant\n%s", got, want)
			}
		})
	}
}

var readFrom = regexp.MustCompile(`"the history is read" from=(\d+) snapshots=(\d+)`)

// begins are the sequences from which on the alerters of the world have read CALLS so far, and with how many snapshots.
func (w *world) begins() (all []string) {
	for _, match := range readFrom.FindAllStringSubmatch(w.logs.String(), -1) {
		all = append(all, match[1]+" with "+match[2])
	}
	return all
}

// TestSnapshotsShortenTheStart: only what came after the snapshots is read; an operation without one is read from its first
// message on, and everything when the rules are others.
func TestSnapshotsShortenTheStart(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	begins := func(want string) {
		t.Helper()
		p := w.start()
		p.judged(w)
		all := w.begins()
		if got := all[len(all)-1]; got != want {
			t.Errorf("CALLS was read from %s, want %s", got, want)
		}
		p.stop()
	}
	w.start().stop()
	w.play("default", "qqqq")
	w.play("ventas", "qq")
	begins("1 with 0")
	begins("7 with 2") // all is in snapshots
	w.play("default", "qq")
	w.play("new", "qq")
	w.play("default", "c")
	begins("7 with 2")
	if err := w.snapshots().Purge(t.Context(), "new"); err != nil {
		t.Fatal(err)
	}
	begins("9 with 2")
	w.putSnapshot("default", w.snapshot("ventas"))
	begins("1 with 2")
	w.rules(demandingRules)
	begins("1 with 0")
	begins("12 with 3")
}

// TestWithoutSnapshots: where the bucket can't be had, everything else works.
func TestWithoutSnapshots(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t)
	_, err := w.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "KV_" + natsio.BucketSnapshots, Subjects: []string{"nothing"}})
	if err != nil {
		t.Fatal(err)
	}
	p := w.start()
	w.play("default", "qc")
	w.expectAlerts(p, "default/Congestion/2/firing")
	p.stop()
	w.expectAlerts(w.start(), "default/Congestion/2/firing")
	if !strings.Contains(w.logs.String(), "snapshot") {
		t.Error("nobody says that there are no snapshots")
	}
}
