package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/internal/natsroles"
)

// Options say what NATS is held against.
type Options struct {
	NATS    config.NATS
	History config.History
	Roles   []natsroles.Role // of the programs that this environment is for
}

// examination is one look at a server.
type examination struct {
	Options
	nc *nats.Conn
	js *JetStream
}

// patience is how long the server may take for an answer that it can do without.
const patience = 2 * time.Second

// Examine checks the server behind a connection, and what is stored there.
func Examine(ctx context.Context, js *JetStream, o Options) (server, streams diagnosis.Findings) {
	e := &examination{o, js.Conn(), js}
	nc := e.nc
	// What is reserved before what is missing: a stream that is made in between would be counted as both.
	storing := storingOf(ctx, nc, monitoringPort)
	capacity := e.capacity(ctx, storing)
	all := e.streams(ctx)
	capacity.lack(all)
	server = diagnosis.Findings{judgeVersion(nc.ConnectedServerVersion()), judgeCapacity(capacity)}
	if storing != nil && storing.health != nil {
		server = append(server, judgeHealth(storing.health))
	}
	if clock, known := e.clock(ctx, all); known {
		server = append(server, clock)
	}
	user := e.user(ctx)
	return append(server, judgePermissions(user, o.Roles), judgeSync(storing)), e.stored(ctx, all, partsOf(user, o.Roles))
}

// definitions are the streams as the settings want them.
func definitions(o *Options) []jetstream.StreamConfig {
	options := natsio.StreamOptions(&o.NATS, &o.History)
	return []jetstream.StreamConfig{events.CallsStream(options), events.AlertsStream(options)}
}

func (e *examination) streams(ctx context.Context) []stream {
	var all []stream
	for _, want := range definitions(&e.Options) {
		all = append(all, stream{want: want})
	}
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			found, err := e.js.Stream(ctx, all[i].want.Name)
			if err != nil {
				all[i].err = natsio.Explain(e.js, err)
				return
			}
			all[i].info = found.CachedInfo()
		})
	}
	group.Wait()
	return all
}

func (e *examination) capacity(ctx context.Context, storing *storing) capacity {
	c := capacity{server: storing}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if c.account, c.err = e.js.AccountInfo(ctx); c.err != nil {
		c.err = natsio.Explain(e.js, c.err)
	}
	return c
}

// clock compares the clocks by the time that an answer about a stream bears.
func (e *examination) clock(ctx context.Context, all []stream) (diagnosis.Finding, bool) {
	if len(all) == 0 || all[0].err != nil {
		return diagnosis.Finding{}, false
	}
	began := time.Now()
	found, err := e.js.Stream(ctx, all[0].want.Name)
	if err != nil || found.CachedInfo().TimeStamp.IsZero() {
		return diagnosis.Finding{}, false
	}
	return judgeClock(began.Sub(found.CachedInfo().TimeStamp), time.Since(began)), true
}

// user asks the server who we are; nil when it does not say.
func (e *examination) user(ctx context.Context) *user {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := e.js.request(ctx, "$SYS.REQ.USER.INFO")
	if err != nil {
		return nil
	}
	var told struct {
		Data *user `json:"data"`
	}
	if json.Unmarshal(answer.Data, &told) != nil {
		return nil
	}
	return told.Data
}

// stored is what is found about streams, buckets and consumers. Parts are what the user has to do with them.
func (e *examination) stored(ctx context.Context, all []stream, parts []natsroles.Role) diagnosis.Findings {
	buckets, nothing := e.buckets(ctx)
	for i := range all {
		nothing = nothing && all[i].missing()
	}
	if nothing {
		return diagnosis.Findings{judgeNothing()}
	}
	if stuck, is := judgeAllStuck(all, buckets); is {
		return diagnosis.Findings{stuck}
	}
	var found diagnosis.Findings
	for i := range all {
		if errors.Is(all[i].err, natsio.ErrPermission) {
			found = append(found, judgeUnseen(all[i].want.Name, []string{all[i].want.Name}, all[i].err, parts)...)
			continue
		}
		found = append(found, judgeStream(&all[i], e.nc.ConnectedClusterName() != ""))
	}
	found = append(found, judgeSeen(buckets, parts)...)
	if calls := all[0].info; calls != nil {
		found = append(found, judgeHistory(calls, e.perDay(ctx)), judgeWhole(calls))
	}
	return append(found, e.consumers(ctx, all)...)
}

// perDay is how many windows are stored a day; 0 when that can't be found out in time.
func (e *examination) perDay(ctx context.Context) float64 {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	n, err := natsio.WindowsADay(ctx, e.js, time.Now())
	if err != nil {
		return 0
	}
	return n
}

// buckets looks at each, and tells whether none is there. That of the leases does not count: a doctor may have made it.
func (e *examination) buckets(ctx context.Context) (all []bucket, none bool) {
	all = make([]bucket, len(natsio.Buckets()))
	var group sync.WaitGroup
	for i, name := range natsio.Buckets() {
		group.Go(func() {
			all[i].name = name
			found, err := e.js.Stream(ctx, natsio.StreamOf(name))
			if err != nil {
				all[i].err = natsio.Explain(e.js, err)
				return
			}
			all[i].drift = natsio.BucketDifferences(found.CachedInfo().Config, e.NATS.Replicas)
		})
	}
	group.Wait()
	there := func(b bucket) bool {
		return b.name != natsio.BucketLeases && !errors.Is(b.err, jetstream.ErrStreamNotFound)
	}
	return all, !slices.ContainsFunc(all, there)
}

// consumers looks at the durable ones; the others are of readers that come and go.
func (e *examination) consumers(ctx context.Context, all []stream) diagnosis.Findings {
	var found diagnosis.Findings
	for i := range all {
		if all[i].info == nil {
			continue
		}
		listed, cancel := context.WithTimeout(ctx, patience)
		err := e.js.consumers(listed, all[i].want.Name, func(info *jetstream.ConsumerInfo) {
			if info.Config.Durable != "" {
				found = append(found, judgeConsumer(info, time.Now()))
			}
		})
		cancel()
		if err != nil {
			found = append(found, diagnosis.Skip("consumers", "", "those of %s are not visible: %v", all[i].want.Name, natsio.Explain(e.js, err)))
		}
	}
	if len(found) == 0 {
		return diagnosis.Findings{diagnosis.Ok("consumers", "no durable ones")}
	}
	return found
}
