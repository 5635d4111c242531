package people

import (
	"context"
	"errors"
	"sync"
	"time"

	"unconnected/alerter/slack"
)

// How long what Slack said is believed.
const (
	trusted  = 5 * time.Minute  // that somebody is a member
	doubted  = 10 * time.Second // that somebody is not: they may just have been invited
	fallback = time.Hour        // that somebody is a member, while Slack cannot be asked
	named    = time.Hour        // what somebody is called
	unseen   = time.Minute      // that there is no channel of a name; to look takes the list of all
)

// directory knows who is where and what they are called. It is safe for concurrent use.
type directory struct {
	client *slack.Client
	now    func() time.Time

	mu    sync.Mutex
	rolls map[string]roll   // :: channel or user group → its members; guarded by mu
	names map[string]person // :: user → what they are called; guarded by mu
	ids   map[string]place  // :: channel as configured → its id; guarded by mu
}

// roll is who was a member when Slack was asked.
type roll struct {
	members map[string]bool
	asked   time.Time
}

// place is where a channel is, as far as known.
type place struct {
	id    string // "" when no channel of that name can be seen
	asked time.Time
}

type person struct {
	name  string
	asked time.Time
}

func newDirectory(client *slack.Client) *directory {
	return &directory{
		client: client, now: time.Now,
		rolls: make(map[string]roll), names: make(map[string]person), ids: make(map[string]place),
	}
}

// isMember tells whether somebody is in a channel, named by its id.
func (d *directory) isMember(ctx context.Context, channel, user string) (bool, error) {
	return d.has(channel, user, func() ([]string, error) { return d.client.Members(ctx, channel) })
}

// isInGroup tells whether somebody is in a user group.
func (d *directory) isInGroup(ctx context.Context, group, user string) (bool, error) {
	return d.has(group, user, func() ([]string, error) { return d.client.GroupMembers(ctx, group) })
}

func (d *directory) has(of, user string, ask func() ([]string, error)) (bool, error) {
	d.mu.Lock()
	known := d.rolls[of]
	d.mu.Unlock()
	age := d.now().Sub(known.asked)
	if in := known.members[user]; in && age < trusted || !in && age < doubted {
		return in, nil
	}
	members, err := ask()
	if err != nil {
		if known.members[user] && age < fallback {
			return true, nil
		}
		return false, err
	}
	fresh := roll{members: make(map[string]bool, len(members)), asked: d.now()}
	for _, member := range members {
		fresh.members[member] = true
	}
	d.mu.Lock()
	d.rolls[of] = fresh
	d.mu.Unlock()
	return fresh.members[user], nil
}

// name is what somebody is called, or "" when Slack does not say.
func (d *directory) name(ctx context.Context, user string) string {
	d.mu.Lock()
	known := d.names[user]
	d.mu.Unlock()
	if !known.asked.IsZero() && d.now().Sub(known.asked) < named {
		return known.name
	}
	name, err := d.client.PersonName(ctx, user)
	if err != nil && !slack.IsMissingScope(err) {
		return known.name
	}
	d.mu.Lock()
	d.names[user] = person{name, d.now()}
	d.mu.Unlock()
	return name
}

// channelID is the id of a channel as configured.
func (d *directory) channelID(ctx context.Context, channel string) (string, error) {
	d.mu.Lock()
	known := d.ids[channel]
	d.mu.Unlock()
	switch {
	case known.id != "":
		return known.id, nil
	case !known.asked.IsZero() && d.now().Sub(known.asked) < unseen:
		return "", slack.ErrNoChannel
	}
	id, err := d.client.ChannelID(ctx, channel)
	if err != nil && !errors.Is(err, slack.ErrNoChannel) {
		return "", err
	}
	d.mu.Lock()
	d.ids[channel] = place{id, d.now()}
	d.mu.Unlock()
	return id, err
}
