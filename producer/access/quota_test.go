package access_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/natsio"
	"unconnected/producer/access"
	"unconnected/producer/budget"
	"unconnected/producer/wolkvox"
	"unconnected/producer/wolkvox/simulator"
)

// midnight is the end of the day of noon in the zone of the tests.
var midnight = noon.Add(12 * time.Hour)

// requireSpent wants Enter to be refused for want of a budget.
func (p *process) requireSpent(class budget.Class, until time.Time) {
	p.t.Helper()
	_, err := p.Enter(p.t.Context(), class, 1)
	var spent *access.NoBudgetError
	if !errors.As(err, &spent) || spent.Class != class || !spent.Until.Equal(until) {
		p.t.Errorf("Enter = %v, want that nothing is left for %s until %v", err, class, until)
	}
}

// TestTheBudgetIsShared: what one process has sent, the others can't; and who is refused gives the token away.
func TestTheBudgetIsShared(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.daily, s.timeout = 5, time.Hour
	one, other := s.process(t, "one"), s.process(t, "other")
	for range 3 {
		one.ask(budget.Live, 1)
	}
	one.leave()
	for range 2 {
		other.ask(budget.Live, 1)
	}
	other.requireSpent(budget.Live, midnight)
	one.enter(budget.Live, 0) // the other has given the token away
	one.leave()
	one.requireSpent(budget.Live, midnight)
	if n := len(s.api.Ledger()); n != 5 {
		t.Errorf("%d requests of 5", n)
	}
}

// TestCorrectionsLeaveWhatLiveWindowsNeed until the day ends.
func TestCorrectionsLeaveWhatLiveWindowsNeed(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.daily = 150
	p := s.process(t, "one")
	p.Note("default", budget.Need{Window: 300, Period: 3600, Checkpoint: noon, Seen: noon})
	p.ask(budget.Live, 1) // which writes it down; 144 windows are to come
	p.requireSpent(budget.Correction, midnight)
	p.requireSpent(budget.Backfill, midnight)
	p.ask(budget.Live, 1)
}

// TestHandfuls: requests are taken some at a time while many are wanted, and what was not sent is given back.
func TestHandfuls(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.daily = 1000
	p := s.process(t, "one")
	check := func(what string, want int64) {
		t.Helper()
		if got := p.sent(); got != want {
			t.Errorf("%s: %d are counted as sent, want %d", what, got, want)
		}
	}
	p.ask(budget.Live, 100)
	check("a long run", 32)
	for range 31 {
		p.ask(budget.Live, 50)
	}
	check("the first handful", 32)
	p.ask(budget.Live, 3)
	check("the end of the run", 35)
	p.leave()
	check("afterwards", 33)
	p.ask(budget.Live, 10)
	check("another run", 43)
	p.ask(budget.Correction, 1)
	check("something else in between", 35)
	p.leave()
	if n := int64(len(s.api.Ledger())); n != p.sent() {
		t.Errorf("%d requests, and %d in the books", n, p.sent())
	}
}

// TestOneAsksWhatIsLeft, for all.
func TestOneAsksWhatIsLeft(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Licences: 2, Latency: 20 * time.Millisecond, Clock: func() time.Time { return noon }})
	var many []*process
	for range 4 {
		many = append(many, s.process(t, "one of many"))
	}
	var all sync.WaitGroup
	for _, p := range many {
		all.Go(func() {
			if !p.ReportDue() {
				t.Error("nobody has asked yet, and it is not time to")
			}
			if _, err := p.Enter(t.Context(), budget.Correction, 0); err != nil {
				t.Error(err)
			}
			if err := p.AskQuota(t.Context()); err != nil {
				t.Error(err)
			}
			p.leave()
		})
	}
	all.Wait()
	if ledger := s.api.Ledger(); len(ledger) != 1 || ledger[0].API != "token_info" {
		t.Errorf("requests %+v, want one for the token report", ledger)
	}
	for _, p := range many {
		err := p.quota.Look(t.Context(), func(b *budget.Budget) {
			if left, known := b.Left(noon); !known || left != 1999 {
				t.Errorf("%d are left (%v), want 1999", left, known)
			}
		})
		if err != nil || p.ReportDue() {
			t.Errorf("it is time to ask again (%v)", err)
		}
	}
}

// TestAnAPIWithoutReport is no trouble: people are told once that there is no budget.
func TestAnAPIWithoutReport(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.api.FailAll(simulator.Status(503))
	one, other := s.process(t, "one"), s.process(t, "other")
	for _, p := range []*process{one, other, one} {
		p.enter(budget.Correction, 0)
		if err := p.AskQuota(t.Context()); err != nil {
			t.Error(err)
		}
		p.leave()
	}
	if n := len(s.api.Ledger()); n != 1 {
		t.Errorf("%d requests, want that it is asked again later", n)
	}
	if said := slices.Concat(one.log.text, other.log.text); len(said) != 1 {
		t.Errorf("warnings %q, want one", said)
	}
	s.api.FailAll(nil)
	other.ask(budget.Backfill, 1)
}

// TestAllAreToldThatTheQuotaIsSpent, so that nobody sends anything more before midnight, by the API's word.
func TestAllAreToldThatTheQuotaIsSpent(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	one, other := s.process(t, "one"), s.process(t, "other")
	s.api.Fail(simulator.QuotaSpent())
	one.enter(budget.Live, 1)
	var failure *wolkvox.Error
	if err := one.report(); !errors.As(err, &failure) || failure.Kind != wolkvox.KindQuota {
		t.Fatalf("Report = %v", err)
	}
	one.leave()
	one.requireSpent(budget.Live, midnight)
	other.requireSpent(budget.Live, midnight)
	if n := len(s.api.Ledger()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestASpentQuotaVoidsWhatWasTaken: neither the rest of a handful is sent, nor what others took before they were told.
func TestASpentQuotaVoidsWhatWasTaken(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.timeout = time.Hour
	one, other := s.process(t, "one"), s.process(t, "other")
	one.enter(budget.Live, 100)
	waits := other.inBackground(budget.Backfill)
	eventually(t, "the other has taken one", func() bool { return one.sent() == 33 })
	s.api.Fail(simulator.QuotaSpent())
	if err := one.report(); err == nil {
		t.Fatal("the quota is not spent")
	}
	one.requireSpent(budget.Live, midnight)
	one.leave()
	var spent *access.NoBudgetError
	if err := <-waits; !errors.As(err, &spent) || !spent.Until.Equal(midnight) {
		t.Errorf("the other's Enter = %v, want that nothing is left", err)
	}
	if sent, all := one.sent(), len(s.api.Ledger()); sent != 1 || all != 1 {
		t.Errorf("%d requests are counted as sent, of %d", sent, all)
	}
	one.enter(budget.Live, 0) // nobody keeps the token
}

// TestTheLastWordOfAStoppedProgram: an answer that comes when the program is being stopped is noted all the same.
func TestTheLastWordOfAStoppedProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	one, other := s.process(t, "one"), s.process(t, "other")
	one.enter(budget.Live, 1)
	ctx, stop := context.WithCancel(t.Context())
	s.api.Fail(func(w http.ResponseWriter, r *http.Request, answer http.HandlerFunc) {
		stop()
		simulator.QuotaSpent()(w, r, answer)
	})
	if _, err := one.Report(ctx, noon, noon.Add(time.Minute)); err == nil {
		t.Fatal("the quota is not spent")
	}
	one.Leave(ctx)
	other.requireSpent(budget.Live, midnight)
}

// stuckBucket stores nothing while it is stuck, and does not say so.
type stuckBucket struct {
	jetstream.KeyValue
	stuck    atomic.Bool
	asked    chan struct{} // receives when somebody begins to wait
	released chan struct{}
}

func (b *stuckBucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if b.stuck.Load() {
		b.asked <- struct{}{}
		<-b.released
	}
	return b.KeyValue.Update(ctx, key, value, revision)
}

// TestNobodyWaitsForAStuckLedger: while NATS does not answer one operation, metrics can be read and others can be stopped.
func TestNobodyWaitsForAStuckLedger(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	one, other := s.process(t, "one"), s.process(t, "other")
	bucket, err := s.js.KeyValue(t.Context(), natsio.BucketLeases)
	if err != nil {
		t.Fatal(err)
	}
	stuck := &stuckBucket{KeyValue: bucket, asked: make(chan struct{}, 10), released: make(chan struct{})}
	quota := access.NewQuota(s.js, stuck, s.url, budget.Settings{Daily: 1000, Zone: time.UTC}, slog.New(one.log))
	one.Quota, other.Quota = quota, quota
	one.ask(budget.Live, 100) // the rest of the handful is to be given back
	one.leave()
	one.ask(budget.Live, 100)
	stuck.stuck.Store(true)
	waits := other.inBackground(budget.Live)
	<-stuck.asked
	done := make(chan error, 1)
	go func() {
		quota.Seen(func(*budget.Budget) {})
		one.leave()
		done <- nil
	}()
	served(t, "reading the ledger, and leaving", done)
	stuck.stuck.Store(false)
	close(stuck.released)
	served(t, "the other", waits)
}

// TestALedgerThatIsGoneOrDamaged is begun anew.
func TestALedgerThatIsGoneOrDamaged(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	s.daily = 100
	p := s.process(t, "one")
	p.ask(budget.Live, 1)
	bucket, err := s.js.KeyValue(t.Context(), natsio.BucketLeases)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := bucket.ListKeysFiltered(t.Context(), access.KeyPrefix+"*")
	if err != nil {
		t.Fatal(err)
	}
	key := <-keys.Keys()
	for what, spoil := range map[string]func() error{
		"deleted": func() error { return bucket.Delete(t.Context(), key) },
		"purged":  func() error { return bucket.Purge(t.Context(), key) },
		"damaged": func() error { _, err := bucket.Put(t.Context(), key, []byte(`{"sent": "many"`)); return err },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		p.ask(budget.Live, 1)
		if n := p.sent(); n != 1 {
			t.Errorf("%s: %d are counted as sent, want that it begins anew", what, n)
		}
	}
}

// TestWithoutNATSNothingIsSent.
func TestWithoutNATSNothingIsSent(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{})
	p := s.process(t, "one")
	p.ask(budget.Live, 1)
	s.nats.Close()
	_, err := p.Enter(t.Context(), budget.Live, 1)
	var spent *access.NoBudgetError
	if err == nil || errors.As(err, &spent) {
		t.Errorf("Enter = %v, want what is wrong with NATS", err)
	}
	if n := len(s.api.Ledger()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestTokenInfoIsARequestLikeOthers: it is taken from the budget of its class, whether it is due or not, and all know what it
// said.
func TestTokenInfoIsARequestLikeOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, simulator.Options{Licences: 1})
	one, other := s.process(t, "one"), s.process(t, "other")
	one.ask(budget.Live, 1)
	for range 2 {
		one.enter(budget.Backfill, 1)
		info, err := one.TokenInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(1000 - len(s.api.Ledger())); info.Available != want {
			t.Errorf("%d requests are left, want %d", info.Available, want)
		}
	}
	one.leave()
	if sent := one.sent(); sent != 3 {
		t.Errorf("the ledger has %d requests, want 3", sent)
	}
	err := other.quota.Look(t.Context(), func(b *budget.Budget) {
		if left, known := b.Left(noon); !known || left != 997 {
			t.Errorf("others believe that %d are left (%t), want 997", left, known)
		}
	})
	if err != nil {
		t.Error(err)
	}
}
