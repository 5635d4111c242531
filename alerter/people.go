package alerter

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/alerter/people"
	"unconnected/alerter/silence"
	"unconnected/alerter/slack"
	"unconnected/internal/natsio"
)

// openPeople reads what is silent, and prepares to listen to what people do in Slack, if there is a way.
func (a *Alerter) openPeople(ctx context.Context, js jetstream.JetStream, s *session) error {
	store, err := silence.Open(ctx, js, a.config.Replicas)
	if err != nil {
		return err
	}
	if err := s.guard.add(ctx, natsio.StreamOf(natsio.BucketSilences)); err != nil {
		return err
	}
	if s.silences, err = store.View(ctx); err != nil {
		return err
	}
	s.notifier.silences = s.silences.All
	if !a.hears() {
		return nil
	}
	composer, operators := a.composer(), a.config.Operators
	if !a.config.Slack.Token.IsSet() {
		operators = "" // a group of the real Slack: the preview knows only its viewer
	}
	s.people = people.New(people.Options{
		Log: a.options.Log, JS: js, Slack: a.client, Silences: store, View: s.silences,
		Socket:    slack.NewSocket(a.socket()),
		Incidents: view{s}, Channels: a.channels(), Operators: operators, Health: a.health,
		Wording: people.Wording{
			Language: composer.Language, Zone: composer.Zone, Names: composer.Names,
			Title: func(rule, language string) string { return composer.Rules[rule].Title[language] },
		},
	})
	return nil
}

// hears tells whether there is a way to hear what people do, and to answer them.
func (a *Alerter) hears() bool { return a.client != nil && a.socket().Token() != "" }

// socket is how to connect by Socket Mode: to Slack, or to the preview of it.
func (a *Alerter) socket() slack.SocketConfig {
	c := slack.SocketConfig{
		APIURL: a.config.APIURL, Token: a.config.AppToken.Value, Reload: a.config.AppToken.Reload, Timeout: a.attempt, Log: a.options.Log,
	}
	if p := a.options.Preview; p != nil && !a.config.Slack.Token.IsSet() {
		c.APIURL, c.Token, c.Reload = p.APIURL, func() string { return p.AppToken }, nil
	}
	return c
}

// heed makes messages show what has become silent, or is no longer, until ctx ends: because somebody did something, or because
// the time has come.
func (s *session) heed(ctx context.Context) {
	for {
		waitFor(ctx, s.silences.Changed(), s.silences.Next(time.Now()))
		if ctx.Err() != nil {
			return
		}
		s.notifier.reconsider()
	}
}

// reconsider looks at all incidents again that are open.
func (n *notifier) reconsider() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, inc := range n.fold.All() {
		if !inc.Open {
			continue
		}
		for channel := range n.routes(&inc) {
			q := n.queues[channel]
			if q == nil {
				continue // not all has been read yet
			}
			q.pending[inc.ID] = true
			if group := n.records.get(inc.ID, channel).Root.Group; group != "" {
				q.pending[group] = true
			}
			q.ring()
		}
	}
}

// listen hears what people do, once it is known what they speak of, until ctx ends. Every alerter listens, not only the one
// on duty: what people do is stored, and whoever is on duty reads it.
func (s *session) listen(ctx context.Context) {
	const rhythm = 100 * time.Millisecond
	for ctx.Err() == nil && !s.notifier.hasCaughtUp() {
		waitFor(ctx, nil, time.Now().Add(rhythm))
	}
	if ctx.Err() == nil {
		s.people.Run(ctx)
	}
}

func (n *notifier) hasCaughtUp() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.caughtUp
}

// view is what the alerter knows, for people.
type view struct{ s *session }

// Get is the incident of that id as it is now, as a channel is told of it; false when it is not known any more.
func (v view) Get(id, channel string) (incident.Incident, bool) {
	n := v.s.notifier
	n.mu.Lock()
	defer n.mu.Unlock()
	if part, routed := n.part(id, channel); routed {
		return part, true
	}
	return n.fold.Get(id)
}

// Open are the incidents that are open, the most urgent first.
func (v view) Open() []incident.Incident {
	v.s.notifier.mu.Lock()
	defer v.s.notifier.mu.Unlock()
	return slices.DeleteFunc(v.s.notifier.fold.All(), func(inc incident.Incident) bool { return !inc.Open })
}

// Checkpoints is how far each operation was judged.
func (v view) Checkpoints() map[string]time.Time {
	v.s.evaluator.mu.Lock()
	defer v.s.evaluator.mu.Unlock()
	return maps.Clone(v.s.evaluator.reached)
}

// channels are those that alerts may be posted to.
func (a *Alerter) channels() []string {
	channels := []string{a.channel("")}
	for _, rule := range a.config.rules.Rules {
		if channel := a.channel(rule.Name); !slices.Contains(channels, channel) {
			channels = append(channels, channel)
		}
	}
	return channels
}

// health is what is not as it should be, and what else there is to know, in the language of the messages. That another alerter
// judges is neither.
func (a *Alerter) health() (unwell, notes []string) {
	r := a.report()
	return r.health(a.config.Alerts.Language)
}

func (r *reporting) health(language string) (unwell, notes []string) {
	if r.Reason != "" {
		unwell = []string{r.reason.in(language)}
	}
	for _, about := range r.notes {
		if about.text != r.standBy {
			notes = append(notes, about.in(language))
		}
	}
	return unwell, notes
}

// reportPeople says when buttons and the slash command do not work. The alerter is ready all the same: people are told, and the
// dead man's switch must not ring for a menu.
func (s *session) reportPeople(r *reporting) {
	if s.people == nil {
		return
	}
	if ok, reason := s.people.Report(); !ok {
		r.note(technical(reason))
	}
}
