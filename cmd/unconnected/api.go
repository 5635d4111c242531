package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/producer"
)

// apiSettings are what a command needs that asks the API: the producer's environment.
func apiSettings(t *terminal) (*producer.Config, error) {
	var settings producer.Config
	if err := config.Load(&settings); err != nil {
		return nil, daemon.Usage(err)
	}
	for _, w := range config.Warnings() {
		t.log.Warn("variable ignored", "name", w.Name, "reason", w.Text)
	}
	return &settings, nil
}

// configured are the operations that the person chose of those that the environment names; all if none was chosen.
func configured(settings *producer.Config, chosen []string) ([]producer.Operation, error) {
	all := settings.TheOperations()
	if len(chosen) == 0 {
		return all, nil
	}
	var names []string
	for _, o := range all {
		names = append(names, o.Name)
	}
	for _, name := range chosen {
		if !slices.Contains(names, name) {
			return nil, daemon.Usage(fmt.Errorf("--operation: the environment names %s, not %s (WOLKVOX_OPERATION, WOLKVOX_OPERATIONS)",
				strings.Join(names, ", "), name))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(o producer.Operation) bool { return !slices.Contains(chosen, o.Name) }), nil
}

// connectToHistory connects like connect, and fails unless there is a stream with history: nothing is to be created here.
func (t *terminal) connectToHistory() (*connection, error) {
	conn, err := t.connect()
	if err != nil {
		return nil, err
	}
	_, err = conn.js.Stream(t.ctx, events.StreamCalls)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = producer.ErrNoHistory
	}
	if err != nil {
		conn.close()
		return nil, err
	}
	return conn, nil
}
