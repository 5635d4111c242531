package e2e

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
)

// fleet is many operations whose windows are stored as producers store them, but made up, so that weeks take a moment. They
// never rest, which is the most that an alerter can have to remember of each.
type fleet struct {
	t       testing.TB
	js      jetstream.JetStream
	random  *rand.Rand
	members []*member
	stored  int // windows so far
}

// member is one operation of a fleet.
type member struct {
	name   string
	volume float64               // unconnected calls in five minutes at the busiest time of the day
	shares [len(answers)]float64 // what is usual, by answers
	next   time.Time             // start of the window that is stored next
}

// answers are the results that the operations of a fleet have; what is left is not answered.
var answers = [...]string{events.Congestion, events.ChanUnavail, events.Busy, events.Cancel, events.TCPA, events.DoNotCall}

const (
	fleetWindow = 5 * time.Minute
	// fleetOld is the length of the windows of all but the last day, as if POLL_WINDOW had been that: what is usual is kept by
	// the half hour, so the same is remembered of a sixth of the windows.
	fleetOld = 30 * time.Minute
)

// newFleet has no window yet. Its first begins some days before end.
func newFleet(t testing.TB, js jetstream.JetStream, operations, days int, end time.Time) *fleet {
	t.Helper()
	f := &fleet{t: t, js: js, random: rand.New(rand.NewPCG(1, uint64(operations)))}
	begin := end.Truncate(fleetOld).Add(-time.Duration(days) * 24 * time.Hour)
	for i := range operations {
		m := &member{name: fmt.Sprintf("op%05d", i), volume: 10 * math.Pow(100, f.random.Float64()), next: begin}
		for at, usual := range [...]float64{0.05, 0.04, 0.12, 0.07, 0.02, 0.02} {
			m.shares[at] = usual * (0.5 + f.random.Float64())
		}
		f.members = append(f.members, m)
	}
	return f
}

// fill stores the windows of all operations up to an instant, one time after the other.
func (f *fleet) fill(until time.Time) {
	f.t.Helper()
	for day := until.Add(-24 * time.Hour); ; {
		length := fleetWindow
		if f.members[0].next.Add(fleetOld).Before(day) {
			length = fleetOld
		}
		if f.members[0].next.Add(length).After(until) {
			break
		}
		for _, m := range f.members {
			f.send(m, length)
		}
	}
	<-f.js.PublishAsyncComplete()
	stream, err := f.js.Stream(f.t.Context(), events.StreamCalls)
	if err != nil {
		f.t.Fatal(err)
	}
	if stored := stream.CachedInfo().State.Msgs; stored != uint64(f.stored) {
		f.t.Fatalf("%d of %d windows are stored", stored, f.stored)
	}
}

// send stores the next window of an operation without waiting for it.
func (f *fleet) send(m *member, length time.Duration) {
	f.t.Helper()
	msg := f.message(m, length, m.shares)
	msg.Header.Del(jetstream.MsgIDHeader) // the server would keep millions of them in mind for two minutes
	if _, err := f.js.PublishMsgAsync(msg, jetstream.WithStallWait(patience)); err != nil {
		f.t.Fatal(err)
	}
}

// store stores the next window of an operation, with a share of congestion of its own.
func (f *fleet) store(m *member, congestion float64) {
	f.t.Helper()
	shares := m.shares
	shares[0] = congestion
	if _, err := f.js.PublishMsg(f.t.Context(), f.message(m, fleetWindow, shares)); err != nil {
		f.t.Fatal(err)
	}
}

// message is the next window of an operation.
func (f *fleet) message(m *member, length time.Duration, shares [len(answers)]float64) *nats.Msg {
	f.t.Helper()
	window := events.Window{Start: m.next, End: m.next.Add(length)}
	event := events.Event{
		Operation: m.name, Server: "0011", Timezone: "America/Bogota", Source: "//wv0011.wolkvox.com/cdr_6",
		Window: window, Checkpoint: window.End, PolledAt: window.End.Add(90 * time.Second), Counts: make(map[string]int64),
	}
	calls := f.about(m.volume * float64(length/fleetWindow) * (0.6 - 0.4*math.Cos(2*math.Pi*float64(m.next.Unix()%86400)/86400)))
	left := calls
	for i, result := range answers {
		n := min(f.about(float64(calls)*shares[i]), left)
		event.Counts[result], left = n, left-n
	}
	event.Counts[events.NoAnswer], event.Total = left, calls
	for _, result := range events.DocumentedResults() {
		if n := event.Counts[result]; n > 0 {
			event.Reported = append(event.Reported, events.Reported{Result: result, Count: strconv.FormatInt(n, 10)})
		}
	}
	msg, err := events.Encode(&event)
	if err != nil {
		f.t.Fatal(err)
	}
	m.next = window.End
	f.stored++
	return msg
}

// about is a number that varies around a mean as calls do that know nothing of each other.
func (f *fleet) about(mean float64) int64 {
	return int64(max(0, math.Round(mean+math.Sqrt(mean)*f.random.NormFloat64())))
}

// judged is an error unless an alerter has judged every window.
func (f *fleet) judged(r *readiness) error {
	if len(r.Operations) != len(f.members) {
		return fmt.Errorf("%d operations are judged, want %d", len(r.Operations), len(f.members))
	}
	for i, m := range f.members { // both are in the order of their names
		if o := r.Operations[i]; o.Operation != m.name || !o.Checkpoint.Equal(m.next) {
			return fmt.Errorf("%s is judged up to %v, want %s up to %v", o.Operation, o.Checkpoint, m.name, m.next)
		}
	}
	return nil
}

// loud is an operation with calls enough that nobody can miss what is wrong with it.
func (f *fleet) loud() *member {
	for _, m := range f.members {
		if m.volume > 300 {
			return m
		}
	}
	f.t.Fatal("no operation has many calls")
	return nil
}
