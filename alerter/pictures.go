package alerter

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/events"
)

// picturePrefix begins the ids of the records about pictures.
const picturePrefix = "@picture/"

const (
	pictureTries = 3                // how often a picture that surely was not shown is tried
	pictureWait  = 5 * time.Second  // before it is tried again
	pictureLimit = 30 * time.Second // to read, to draw and to upload it
	pictureQueue = 64               // pictures that wait; more are left out
	pictureLate  = time.Hour        // after its message nobody waits for one any more
)

// pictures shows what an incident looks like in its thread. It works beside the queues, so that it delays no message, and one at
// a time, at most once: a picture that may have been shown is not shown again.
type pictures struct {
	js       jetstream.JetStream
	sink     slack.Uploader
	composer *slack.Composer
	records  *records
	incident func(id, channel string) (incident.Incident, bool) // what the channel is told of
	log      *slog.Logger
	attempt  time.Duration
	wanted   chan pictureOf
}

// pictureOf is the picture of an incident in a channel.
type pictureOf struct{ incident, channel string }

// want asks for a picture. When many wait, it is left out.
func (p *pictures) want(id, channel string) {
	select {
	case p.wanted <- pictureOf{id, channel}:
	default:
		p.log.Info("a picture is left out, because many wait", "incident", id)
	}
}

// catchUpPictures asks for the pictures of messages that whoever posted them has not come to show.
func (n *notifier) catchUpPictures(incidents []incident.Incident) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range incidents {
		for _, rec := range n.records.of(incidents[i].ID) {
			late := time.Since(rec.Root.PostedAt) > pictureLate || !incidents[i].Open
			if rec.Root.TS != "" && rec.Root.Group == "" && !late && !n.records.get(picturePrefix+rec.Incident, rec.Channel).Begun() {
				n.picture(rec.Incident, rec.Channel)
			}
		}
	}
}

func (p *pictures) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-p.wanted:
			drawing, cancel := context.WithTimeout(ctx, pictureLimit)
			if err := p.show(drawing, next); err != nil && ctx.Err() == nil {
				p.log.Warn("a picture is not shown; the message is there without it", "incident", next.incident, "error", err,
					"next_step", slack.FailureOf(err).Hint)
			}
			cancel()
		}
	}
}

// show draws the picture and uploads it. The intent is stored before it can be seen.
func (p *pictures) show(ctx context.Context, of pictureOf) error {
	root := p.records.get(of.incident, of.channel)
	rec := p.records.get(picturePrefix+of.incident, of.channel)
	inc, known := p.incident(of.incident, of.channel)
	if !known || root.Root.TS == "" || rec.Begun() {
		return nil
	}
	picture, err := p.draw(ctx, &inc)
	if err != nil || picture.PNG == nil {
		return err
	}
	now := time.Now()
	rec.Record = rec.Intend(incident.Action{Step: incident.PostRoot, Sequence: 1}, nil, now, now.Add(pictureLimit))
	if rec, err = p.records.store(ctx, rec); err != nil {
		if errors.Is(err, errStale) {
			return nil // another alerter is at it
		}
		return err
	}
	if err := p.upload(ctx, incident.Receipt{ChannelID: root.ChannelID, TS: root.Root.TS}, picture); err != nil {
		return err
	}
	rec.Record = rec.Done(incident.Action{Step: incident.PostRoot, Sequence: 1}, incident.Receipt{}, time.Now())
	_, err = p.records.store(ctx, rec)
	return err
}

// draw reads what is shown and draws it; the picture is empty when there is nothing to show.
func (p *pictures) draw(ctx context.Context, inc *incident.Incident) (slack.Picture, error) {
	from, to, ok := slack.PictureOf(inc)
	if !ok {
		return slack.Picture{}, nil
	}
	windows, err := events.Latest(events.History(ctx, p.js, events.Query{Operations: []string{inc.Operation}, From: from, To: to}))
	if err != nil {
		return slack.Picture{}, err
	}
	return p.composer.Picture(inc, windows)
}

// upload tries again what surely was not shown.
func (p *pictures) upload(ctx context.Context, root incident.Receipt, picture slack.Picture) error {
	for try := 1; ; try++ {
		sending, cancel := context.WithTimeout(ctx, p.attempt)
		err := p.sink.Upload(sending, root, picture)
		cancel()
		if err == nil {
			return nil
		}
		failure := slack.FailureOf(err)
		if failure.Class != incident.Undelivered || try == pictureTries || ctx.Err() != nil {
			return err
		}
		waitFor(ctx, nil, time.Now().Add(max(failure.RetryAfter, pictureWait)))
	}
}
