package people

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/alerter/silence"
	"unconnected/alerter/slack"
)

// Incidents is what the alerter knows. Its methods are called concurrently.
type Incidents interface {
	// Get is the incident of that id as it is now, as a channel is told of it that is named as in the settings; all of it where
	// channel is "". It is false when it is not known any more.
	Get(id, channel string) (incident.Incident, bool)
	// Open are the incidents that are open, the most urgent first.
	Open() []incident.Incident
	// Checkpoints is how far each operation was judged.
	Checkpoints() map[string]time.Time
}

// Options are what [New] needs. All must be set but those that say otherwise.
type Options struct {
	Log       *slog.Logger
	JS        jetstream.JetStream
	Slack     *slack.Client
	Socket    *slack.Socket
	Incidents Incidents
	Silences  *silence.Store
	View      *silence.View // somebody else runs it
	// Started is closed when Incidents knows all that ALERTS holds; nil when it does.
	Started <-chan struct{}

	Wording   Wording
	Channels  []string // ids or names of those that alerts are posted to: who is in one may ask for the status
	Operators string   // id of the user group whose members may act; "" for the members of the channel
	// Health is what is not as it should be, and what else there is to know, for the status; nil for nothing.
	Health func() (unwell, notes []string)
}

// People listens to what people do in Slack. Use [New].
type People struct {
	Options
	words     *words
	directory *directory

	mu      sync.Mutex
	dealt   map[string]bool   // clicks that are being dealt with, or were; guarded by mu
	order   []string          // the same, the oldest first; guarded by mu
	blocked map[string]string // :: kind of members → why nobody knows who they are, while only a person can mend it; guarded by mu
}

// New returns a People that does nothing yet.
func New(o Options) *People {
	return &People{
		Options: o, words: wordsFor(o.Wording.Language), directory: newDirectory(o.Slack),
		dealt: make(map[string]bool), blocked: make(map[string]string),
	}
}

// Run listens until ctx ends.
func (p *People) Run(ctx context.Context) {
	if p.Started != nil {
		select {
		case <-ctx.Done():
			return
		case <-p.Started:
		}
	}
	p.Socket.Run(ctx, p)
}

// Report tells whether people can use the buttons and the slash command, or why not and what to do. It is safe for
// concurrent use.
func (p *People) Report() (ok bool, reason string) {
	if ok, reason := p.Socket.State(); !ok {
		return false, reason
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, reason := range p.blocked {
		return false, reason
	}
	return true, ""
}

// Click deals with a click, once.
func (p *People) Click(ctx context.Context, c slack.Click) {
	if c.Action != slack.ActionAcknowledge && c.Action != slack.ActionSilence || !p.begin(c) {
		return
	}
	say := p.mayClick(ctx, c)
	channel := ""
	if say == "" {
		channel, say = p.where(ctx, c)
	}
	if say == "" {
		say = p.follow(ctx, c, channel)
	}
	p.say(ctx, c.Answer, say)
}

// where is the channel of a click as configured, "" when there is only one, or when it is none of them any more. Whoever is in a
// channel silences what that channel is told, and not what others are, so where it cannot be told, say is why nothing is done.
func (p *People) where(ctx context.Context, c slack.Click) (channel, say string) {
	if len(p.Channels) < 2 {
		return "", ""
	}
	var last error
	for _, channel := range p.Channels {
		id, err := p.directory.channelID(ctx, channel)
		switch {
		case err == nil && id == c.Channel:
			return channel, ""
		case err != nil && !errors.Is(err, slack.ErrNoChannel):
			last = err
		}
	}
	if last != nil {
		return "", p.refusal(kindMember, false, last, "")
	}
	return "", ""
}

// follow does what follows from a click of somebody who may, and returns what they are told.
func (p *People) follow(ctx context.Context, c slack.Click, channel string) string {
	who := silence.Person{Name: tidy(p.directory.name(ctx, c.User), tidy(c.UserName, c.User)), User: c.User}
	situation := Situation{Silences: p.View.All(), Now: time.Now().UTC()}
	if inc, known := p.Incidents.Get(c.Incident, channel); known {
		situation.Incident, situation.Zone = &inc, p.Wording.zone(&inc)
	}
	d := Decide(c, who, situation, p.Wording.Language)
	var err error
	switch {
	case d.Record != nil:
		err = silence.Record(ctx, p.JS, d.Record)
	case d.Silence != nil:
		err = p.Silences.Add(ctx, *d.Silence, who, c.Incident, situation.Now)
	default:
		return d.Say
	}
	log := p.Log.With("incident", c.Incident, "by", who.Name, "user", who.User)
	switch {
	case err == nil && d.Record != nil:
		log.Info("acknowledged")
		return ""
	case err == nil:
		log.Info("silenced", "silence", d.Silence.ID, "until", d.Silence.Until)
		return ""
	case errors.Is(err, silence.ErrUnrecorded):
		log.Warn("a silence holds, but is not recorded; whoever made it was told", "error", err)
		return p.words.unrecorded
	}
	p.forget(c)
	log.Warn("what somebody clicked could not be stored; they were told to try again", "error", err)
	return p.words.notStored
}

// Command answers the slash command.
func (p *People) Command(ctx context.Context, c slack.Command) slack.Answer {
	verb, operation, _ := strings.Cut(strings.TrimSpace(c.Text), " ")
	if verb = strings.ToLower(verb); verb != "status" && verb != "estado" {
		return p.answer(p.words.help)
	}
	if refusal := p.mayAsk(ctx, c); refusal != "" {
		return p.answer(refusal)
	}
	status := Status{
		Open: p.Incidents.Open(), Silences: p.View.All(), Checkpoints: p.Incidents.Checkpoints(), Now: time.Now().UTC(),
	}
	if p.Health != nil {
		status.Unwell, status.Notes = p.Health()
	}
	return p.answer(Tell(status, strings.TrimSpace(operation), p.Wording)...)
}

func (p *People) answer(lines ...string) slack.Answer {
	return slack.Answer{Lines: lines, More: p.words.more}
}

// say tells whoever clicked.
func (p *People) say(ctx context.Context, to, text string) {
	if text == "" {
		return
	}
	if err := p.Socket.Respond(ctx, to, p.answer(text)); err != nil {
		p.Log.Warn("somebody clicked and could not be told what came of it", "text", text, "error", err)
	}
}

// remembered is how many clicks are known to have been dealt with. Slack repeats one within seconds; should one come again
// later, or in another process, its key shows it to whoever folds ALERTS.
const remembered = 1000

// begin notes a click, and tells whether it is new.
func (p *People) begin(c slack.Click) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := dealtKey(c)
	if p.dealt[key] {
		return false
	}
	p.dealt[key] = true
	if p.order = append(p.order, key); len(p.order) > remembered {
		delete(p.dealt, p.order[0])
		p.order = p.order[1:]
	}
	return true
}

// forget lets a click be dealt with again that came to nothing.
func (p *People) forget(c slack.Click) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.dealt, dealtKey(c))
}

func dealtKey(c slack.Click) string { return c.Action + "/" + c.Incident + "/" + c.Key() }

// mayClick is why somebody may not do what the buttons do, "" when they may.
func (p *People) mayClick(ctx context.Context, c slack.Click) string {
	if p.Operators != "" {
		in, err := p.directory.isInGroup(ctx, p.Operators, c.User)
		return p.refusal(kindOperator, in, err, p.words.notOperator)
	}
	in, err := p.directory.isMember(ctx, c.Channel, c.User)
	return p.refusal(kindMember, in, err, p.words.notMember)
}

// mayAsk is why somebody may not see the status, "" when they may: those who may act, and everybody who is in a channel that
// alerts are posted to, wherever they ask.
func (p *People) mayAsk(ctx context.Context, c slack.Command) string {
	if p.Operators != "" {
		if in, err := p.directory.isInGroup(ctx, p.Operators, c.User); in && err == nil {
			return ""
		}
	}
	var last error
	for _, channel := range p.Channels {
		id, err := p.directory.channelID(ctx, channel)
		if err == nil {
			var in bool
			if in, err = p.directory.isMember(ctx, id, c.User); in {
				return p.refusal(kindMember, true, nil, "")
			}
		}
		if err != nil && !errors.Is(err, slack.ErrNoChannel) { // nobody is in what cannot be seen
			last = err
		}
	}
	return p.refusal(kindMember, false, last, p.words.notOfOurs)
}

// Kinds of members.
const (
	kindMember   = "of a channel"
	kindOperator = "of the user group"
)

// refusal is what somebody is told who is no member, or of whom that is not known. What only a person can mend is kept for the
// report.
func (p *People) refusal(kind string, in bool, err error, not string) string {
	lacking := slack.IsMissingScope(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		delete(p.blocked, kind)
	case lacking:
		p.blocked[kind] = "the buttons and the slash command refuse everybody, because Slack may not be asked who is a member: " + err.Error()
	}
	switch {
	case lacking:
		return p.words.missingScope
	case err != nil:
		p.Log.Warn("somebody was refused, because Slack does not say who is a member", "error", err)
		return strings.Replace(p.words.cannotTell, "%s", slack.FailureOf(err).Code, 1)
	case !in:
		return not
	}
	return ""
}

var _ slack.Handler = (*People)(nil)
