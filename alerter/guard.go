package alerter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// guardRhythm is how often it is looked whether the streams are still the same.
const guardRhythm = 5 * time.Second

// guard knows when the streams that a session relies on were created. What follows a stream would wait for ever for the
// next sequence of one that was deleted and created anew, and what was folded from the old one does not hold for the new.
type guard struct {
	js      jetstream.JetStream
	created map[string]time.Time // :: stream → its creation
}

// newGuard remembers the streams as they are now.
func newGuard(ctx context.Context, js jetstream.JetStream, streams ...string) (*guard, error) {
	g := &guard{js: js, created: make(map[string]time.Time)}
	for _, name := range streams {
		if err := g.add(ctx, name); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// add remembers one more stream. Call it before run.
func (g *guard) add(ctx context.Context, name string) error {
	stream, err := g.js.Stream(ctx, name)
	if err != nil {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	g.created[name] = stream.CachedInfo().Created
	return nil
}

// run returns an error when a stream is another one, or gone, and otherwise when ctx ends.
func (g *guard) run(ctx context.Context) error {
	for {
		waitFor(ctx, nil, time.Now().Add(guardRhythm))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for name, created := range g.created {
			stream, err := g.js.Stream(ctx, name)
			if errors.Is(err, jetstream.ErrStreamNotFound) || err == nil && !stream.CachedInfo().Created.Equal(created) {
				return fmt.Errorf("the stream %s was deleted or created anew", name)
			}
		}
	}
}
