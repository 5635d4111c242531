// Package alerter judges the windows of the stream CALLS by rules, stores every change of an alert in the stream ALERTS,
// and tells people in Slack: once per incident, kept up to date.
//
// It has two halves. The evaluator folds CALLS and writes ALERTS; the notifier folds ALERTS and talks to Slack. The
// streams are the state: each half reads back from them what it needs after a restart, together with how far it got. A
// transition is stored only behind the message that it relies on, and a post only after the intent to make it, so that a
// crash at any point neither loses nor repeats one.
//
// Of several alerters on the same streams one is on duty: it has the lease, judges and tells. The others stand by: they fold
// what it has judged, and go on from there when it is gone.
package alerter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"unconnected/alerter/incident"
	"unconnected/alerter/people"
	"unconnected/alerter/silence"
	"unconnected/alerter/slack"
	"unconnected/events"
	"unconnected/internal/natsio"
)

// Options are what an Alerter needs beside its configuration.
type Options struct {
	Log     *slog.Logger
	Conn    *nats.Conn // stays open when the alerter stops
	Metrics prometheus.Registerer
	Output  io.Writer // of the messages when there is no Slack; nil means standard output
	Preview *Preview  // a stand-in for Slack when there is none, beside Output; nil means none
	// Ready tells the dead man's switch whether all is well; nil means whether this alerter is ready.
	Ready func() bool
	// Embedded says that the NATS server lives and dies with this process: what it lacks will not come by waiting.
	Embedded bool
}

// Preview is a server that behaves like Slack and shows what people would see. Its channel is called as the terminal is, so
// that what was shown there is not taken for what real people were told.
type Preview struct {
	APIURL, Token, AppToken string
	Page                    string // where it can be looked at
}

// PreviewChannel is the channel of a [Preview].
const PreviewChannel = "terminal"

// Alerter judges and tells.
type Alerter struct {
	config  *Config
	options Options
	metrics *metrics
	sink    slack.Sink
	client  *slack.Client // of the sink; nil where it is no Slack
	pacer   *slack.Pacer
	attempt time.Duration // time limit of one request to Slack
	channel func(rule string) string
	current atomic.Pointer[session] // nil while there is none
	problem atomic.Pointer[string]  // why there is no session
	refusal atomic.Pointer[string]  // why Slack refuses the token, and what to do; nil while it does not, or that is not known

	blindAfter time.Duration // for how long NATS is away before people are told
}

// New makes an Alerter of a validated configuration and registers its metrics.
func New(c *Config, o Options) *Alerter {
	a := &Alerter{config: c, options: o, metrics: newMetrics(o.Metrics), pacer: new(slack.Pacer), attempt: slack.DefaultTimeout, blindAfter: blindAfter}
	a.chooseSink()
	if c.AppToken.IsSet() && !c.Slack.Token.IsSet() {
		o.Log.Warn("SLACK_APP_TOKEN is ignored, because there is no SLACK_TOKEN: nobody could be answered")
	}
	o.Metrics.MustRegister(a.gauges()...)
	return a
}

// chooseSink decides how people are told, and which channel a rule's alerts belong to.
func (a *Alerter) chooseSink() {
	c, log := a.config, a.options.Log
	fixed := func(name string) func(string) string { return func(string) string { return name } }
	switch {
	case c.Slack.Token.IsSet():
		a.client = slack.NewClient(slack.Config{APIURL: c.APIURL, Token: c.Slack.Token.Value, Reload: c.Slack.Token.Reload})
		a.sink = a.client
		a.channel = a.slackChannel
		if c.WebhookURL.IsSet() {
			log.Warn("SLACK_WEBHOOK_URL is ignored, because there is a SLACK_TOKEN")
		}
	case c.WebhookURL.IsSet():
		a.sink, a.channel = slack.NewWebhook(c.WebhookURL.Value, c.WebhookURL.Reload, 0), fixed("webhook")
	default:
		a.pretend(terminal(a.options.Output))
		a.channel = fixed(PreviewChannel)
	}
}

// pretend tells a terminal, and a preview of Slack where there is one.
func (a *Alerter) pretend(out *slack.Terminal) {
	where := "standard output"
	if p := a.options.Preview; p != nil {
		where += ", and as Slack would show them to " + p.Page
		a.client = slack.NewClient(slack.Config{APIURL: p.APIURL, Token: func() string { return p.Token }})
		a.sink = slack.NewMirror(a.client, out)
	} else {
		a.sink = out
	}
	a.pacer.Interval = time.Nanosecond // neither needs a pause between messages
	a.options.Log.Warn("neither SLACK_TOKEN nor SLACK_WEBHOOK_URL is set: messages go to " + where)
}

func terminal(out io.Writer) *slack.Terminal {
	if out == nil {
		return slack.NewTerminal(os.Stdout, term.IsTerminal(int(os.Stdout.Fd())))
	}
	return slack.NewTerminal(out, false)
}

// slackChannel is the channel that a rule names, or the default one. A channel that is named with # and without has one name.
func (a *Alerter) slackChannel(name string) string {
	wanted := a.config.Channel
	if rule := a.config.rules.Find(name); rule != nil && rule.Channel != "" {
		wanted = rule.Channel
	}
	if incident.SameChannel(wanted, a.config.Channel) {
		return a.config.Channel
	}
	for _, rule := range a.config.rules.Rules {
		if incident.SameChannel(wanted, rule.Channel) {
			return rule.Channel
		}
	}
	return wanted
}

// Run judges and tells until ctx ends, and then returns nil. While NATS is away it waits. When a stream was taken away
// from under it, it starts over from what the streams hold then.
func (a *Alerter) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.sessions(ctx) })
	group.Go(func() error { a.beat(ctx); return nil })
	group.Go(func() error { a.vouch(ctx); return nil })
	if !a.options.Embedded {
		group.Go(func() error { a.watch(ctx); return nil })
	}
	return group.Wait()
}

// sessions runs one session after the other until ctx ends.
func (a *Alerter) sessions(ctx context.Context) error {
	for wait := time.Second; ; wait = min(2*wait, sessionMost) {
		began := time.Now()
		err := a.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if a.options.Embedded && natsio.Permanent(err) {
			return fmt.Errorf("alerter: %w", err)
		}
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		reason := err.Error()
		a.problem.Store(&reason)
		a.options.Log.Warn("starting over from the streams", "error", err, "wait", wait.String())
		waitFor(ctx, nil, time.Now().Add(wait))
	}
}

// sessionMost bounds the wait between sessions that fail one after the other.
const sessionMost = 15 * time.Second

// session is one life of both halves, from reading the streams on.
type session struct {
	evaluator *evaluator
	notifier  *notifier
	guard     *guard
	duty      *duty
	silences  *silence.View
	people    *people.People // nil without SLACK_APP_TOKEN
}

func (a *Alerter) session(ctx context.Context) error {
	var s *session
	err := natsio.Retry(ctx, a.options.Log, "making sure that the streams exist", a.options.Embedded, func(ctx context.Context) (err error) {
		if s, err = a.open(ctx); err != nil {
			if ctx.Err() == nil {
				err = natsio.ExplainOn(a.options.Conn, err)
			}
			reason := err.Error()
			a.problem.Store(&reason)
		}
		return err
	})
	if err != nil {
		return err
	}
	a.current.Store(s)
	defer a.current.Store(nil)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.duty.run(ctx) })
	group.Go(func() error { return s.evaluator.run(ctx) })
	group.Go(func() error { return s.notifier.run(ctx) })
	group.Go(func() error { return s.guard.run(ctx) })
	group.Go(func() error { s.silences.Run(ctx); return nil })
	group.Go(func() error { s.heed(ctx); return nil })
	if s.people != nil {
		group.Go(func() error { s.listen(ctx); return nil })
	}
	err = group.Wait()
	s.end(ctx)
	return err
}

// end gives the duty away when nothing is judged or told any more, and stores the states, which another may begin with.
func (s *session) end(ctx context.Context) {
	wasOnDuty := s.duty.has()
	s.duty.close(ctx)
	if wasOnDuty {
		s.evaluator.storeSnapshots(ctx)
	}
}

// open makes sure that streams and buckets exist and reads what was done before.
func (a *Alerter) open(ctx context.Context) (*session, error) {
	js, err := natsio.JetStream(a.options.Conn)
	if err != nil {
		return nil, err
	}
	streams := natsio.StreamOptions(&a.config.NATS, &a.config.History)
	calls, err := natsio.EnsureStream(ctx, js, events.CallsStream(streams), a.options.Log)
	if err != nil {
		return nil, err
	}
	alerts, err := natsio.EnsureStream(ctx, js, events.AlertsStream(streams), a.options.Log)
	if err != nil {
		return nil, err
	}
	bucket, notices, err := a.openBuckets(ctx, js)
	if err != nil {
		return nil, err
	}
	guard, err := newGuard(ctx, js, events.StreamCalls, events.StreamAlerts, natsio.StreamOf(bucket.Bucket()), natsio.StreamOf(notices.Bucket()))
	if err != nil {
		return nil, err
	}
	duty, err := a.newDuty(ctx, js)
	if err != nil {
		return nil, err
	}
	s := &session{guard: guard, duty: duty}
	if s.evaluator, err = a.newEvaluator(ctx, js, bucket, calls, alerts); err == nil {
		s.notifier, err = a.newNotifier(ctx, js, notices, s.evaluator.progress)
	}
	if err == nil {
		err = a.openPeople(ctx, js, s)
	}
	if err != nil {
		duty.close(ctx)
		return nil, err
	}
	s.join()
	return s, nil
}

// openBuckets makes sure that the buckets exist in which both halves keep how far they got.
func (a *Alerter) openBuckets(ctx context.Context, js jetstream.JetStream) (bucket, notices jetstream.KeyValue, err error) {
	if bucket, err = natsio.EnsureBucket(ctx, js, natsio.BucketAlerter, a.config.Replicas); err == nil {
		notices, err = natsio.EnsureBucket(ctx, js, natsio.BucketNotices, a.config.Replicas)
	}
	return bucket, notices, err
}

// join makes both halves wait for the duty.
func (s *session) join() {
	s.evaluator.duty, s.notifier.duty = s.duty, s.duty
	s.duty.takeOver = func(ctx context.Context) error {
		return errors.Join(s.evaluator.takeOver(ctx), s.notifier.records.load(ctx))
	}
	s.duty.begun = s.notifier.begin
}

// onDuty tells whether this alerter is the one that judges and tells.
func (a *Alerter) onDuty() bool {
	s := a.current.Load()
	return s != nil && s.duty.has()
}

// place is how many alerters are to judge before this one: 0 for the one that does; unplaced while that is not known.
func (a *Alerter) place() int {
	if s := a.current.Load(); s != nil {
		return s.duty.lease.Ahead()
	}
	return unplaced
}

func (a *Alerter) newNotifier(ctx context.Context, js jetstream.JetStream, bucket jetstream.KeyValue, p *progress) (*notifier, error) {
	records := newRecords(js, bucket, a.options.Log)
	if err := records.load(ctx); err != nil {
		return nil, err
	}
	n := &notifier{
		js: js, sink: a.sink, composer: a.composer(), pacer: a.pacer, records: records, progress: p,
		channelOf: a.channel, maxAge: a.config.maxAge(), remind: time.Duration(a.config.Remind), log: a.options.Log, metrics: a.metrics,
		alerts:  follower{js: js, stream: events.StreamAlerts, subjects: append(events.AlertSubjects(), events.ActionSubjects()...), log: a.options.Log},
		attempt: a.attempt, now: time.Now, fold: incident.NewFold(), queues: make(map[string]*queue),
		notices: make(map[string]func(*slack.Composer) slack.Message), changed: make(chan struct{}, 1),
		silences: func() []incident.Silence { return nil }, picture: func(string, string) {},
	}
	if uploader, ok := a.sink.(slack.Uploader); ok {
		n.showPictures(uploader)
	}
	if a.config.Digest.IsSet() {
		n.digest = &digests{at: a.config.Digest, zone: a.config.Alerts.Timezone.Zone(), js: js, notifier: n, channel: a.channel("")}
	}
	return n, nil
}

// composer is how messages are worded, from the configuration and the rules.
func (a *Alerter) composer() slack.Composer {
	c := slack.Composer{
		Language: a.config.Alerts.Language, Zone: a.config.Alerts.Timezone.Zone(), Names: a.config.OperationNames,
		Mention: a.config.MentionCritical, Buttons: a.hears(), Rules: map[string]slack.Rule{events.DrillRule: drillRule()},
	}
	for _, r := range a.config.rules.Rules {
		c.Rules[r.Name] = slack.Rule{
			Title:   map[string]string{"en": r.Title("en"), "es": r.Title("es")},
			Results: slack.ResultsOf(r.Value), Share: r.ValueIsShare(), NoData: r.OnTicks(),
			Mention: r.Mention, Runbook: r.Runbook,
		}
	}
	return c
}
