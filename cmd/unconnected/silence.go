package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter"
	"unconnected/alerter/incident"
	"unconnected/alerter/silence"
	"unconnected/events"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
)

// silenceCommand looks after silences.
type silenceCommand struct {
	Add    silenceAdd    `cmd:"" help:"Tell nobody of an operation's alerts for a while; their events are stored all the same."`
	List   silenceList   `cmd:"" help:"List the silences that hold now or will."`
	Expire silenceExpire `cmd:"" help:"End a silence now."`
}

// silenceAdd makes a silence.
type silenceAdd struct {
	Operation string          `placeholder:"NAME" help:"The operation; or --all."`
	All       bool            `help:"All operations."`
	Rule      []string        `placeholder:"NAME" help:"Only alerts of these rules: those of ALERT_RULES, else the built-in ones, and any that ever fired. Default all rules."`
	For       config.Duration `placeholder:"2h" help:"For how long, at most 31d; or --until."`
	Until     silenceEnd      `placeholder:"TIME" help:"Until when: RFC 3339, a date (its midnight in UTC), or tomorrow (the next 07:00 of the operation, an hour away or more)."`
	From      config.Moment   `placeholder:"TIME" help:"From when on; default now."`
	Reason    string          `placeholder:"TEXT" help:"Why: everybody who misses the alerts will read it. Required."`
	By        string          `placeholder:"NAME" help:"Who; default $$USER."`
}

// silenceEnd is the end of a silence, as it is given.
type silenceEnd struct {
	tomorrow bool
	at       config.Moment
}

// Set reads an end.
func (e *silenceEnd) Set(value string) error {
	if e.tomorrow = strings.EqualFold(value, "tomorrow"); e.tomorrow {
		return nil
	}
	if err := e.at.Set(value); err != nil || strings.HasPrefix(strings.TrimSpace(value), "-") {
		return fmt.Errorf("%q is not the end of a silence: RFC 3339, a date, or tomorrow", value)
	}
	return nil
}

func (e *silenceEnd) isSet() bool { return e.tomorrow || e.at.IsSet() }

// Validate refuses what says too much or too little.
func (c *silenceAdd) Validate() error {
	switch {
	case (c.Operation == "") != c.All:
		return errors.New("give --operation NAME or --all")
	case c.Operation != "" && !events.ValidOperation(c.Operation):
		return fmt.Errorf("--operation: %q is not a name of [a-z0-9][a-z0-9_-]{0,62}", c.Operation)
	case (c.For > 0) == c.Until.isSet():
		return errors.New("give --for or --until: a silence needs one end")
	case strings.TrimSpace(c.Reason) == "":
		return errors.New("--reason is missing: everybody who misses the alerts will want to know")
	}
	return nil
}

// Run puts a silence in force.
func (c *silenceAdd) Run(t *terminal) error {
	who, err := author(c.By)
	if err != nil {
		return err
	}
	conn, store, err := t.silences()
	if err != nil {
		return err
	}
	defer conn.close()
	settings, err := alertSettings()
	if err != nil {
		return err
	}
	zone, err := c.zone(t, conn.js, settings)
	if err != nil {
		return err
	}
	if err := c.checkRules(t, conn.js, settings); err != nil {
		return err
	}
	at := now()
	wanted := c.silence(at, zone)
	unrecorded := store.Add(t.ctx, wanted, who, "", at)
	switch {
	case errors.Is(unrecorded, silence.ErrInvalid):
		return daemon.Usage(unrecorded)
	case unrecorded != nil && !errors.Is(unrecorded, silence.ErrUnrecorded):
		return unrecorded
	}
	_, err = fmt.Fprintf(t.stdout, "%s  silent: %s, %s, until %s\nend it with: unconnected silence expire %s\n",
		wanted.ID, operationWords(wanted.Operation), ruleWords(wanted.Rules), moment(wanted.Until, zone), wanted.ID)
	return errors.Join(unrecorded, err)
}

// silence is what is asked for.
func (c *silenceAdd) silence(now time.Time, zone *time.Location) incident.Silence {
	s := incident.Silence{
		ID: silence.NewID(), Operation: c.Operation, Rules: c.Rule, From: now, Reason: strings.TrimSpace(c.Reason),
	}
	if c.All {
		s.Operation = events.AllOperations
	}
	if c.From.IsSet() {
		s.From = c.From.At(now)
	}
	switch {
	case c.For > 0:
		s.Until = s.From.Add(time.Duration(c.For))
	case c.Until.tomorrow:
		s.Until = silence.Tomorrow(now, zone)
	default:
		s.Until = c.Until.at.At(now)
	}
	return s
}

// zone is that of ALERT_TIMEZONE, else the operation's, else UTC. An operation without a history is refused: its name is
// more likely mistyped than new.
func (c *silenceAdd) zone(t *terminal, js jetstream.JetStream, settings *alerter.Alerts) (*time.Location, error) {
	zone := settings.Timezone.Zone()
	if c.All {
		if zone == nil {
			zone = time.UTC
		}
		return zone, nil
	}
	stream, err := js.Stream(t.ctx, events.StreamCalls)
	if err != nil {
		return nil, err
	}
	last, err := events.Last(t.ctx, stream, c.Operation)
	var invalid *events.InvalidError
	switch {
	case err != nil && !errors.As(err, &invalid):
		return nil, err
	case err == nil && last == nil:
		return nil, daemon.Usage(noOperation(c.Operation, loggedOperations(t.ctx, js)))
	case zone == nil && last != nil:
		zone = zoneOf(last.Timezone)
	case zone == nil:
		zone = time.UTC
	}
	return zone, nil
}

// author is who gave the command.
func author(by string) (silence.Person, error) {
	for _, name := range []string{by, os.Getenv("USER"), os.Getenv("LOGNAME")} {
		if name = strings.TrimSpace(name); name != "" {
			return silence.Person{Name: name}, nil
		}
	}
	return silence.Person{}, daemon.Usage(errors.New("--by is required, because USER is not set"))
}

// silences opens a connection and the bucket on it.
func (t *terminal) silences() (*connection, *silence.Store, error) {
	var settings config.NATS
	if err := config.Load(&settings); err != nil {
		return nil, nil, daemon.Usage(err)
	}
	conn, err := t.connect()
	if err != nil {
		return nil, nil, err
	}
	store, err := silence.Open(t.ctx, conn.js, settings.Replicas)
	if err != nil {
		conn.close()
		return nil, nil, err
	}
	return conn, store, nil
}

// silenceExpire ends a silence.
type silenceExpire struct {
	ID string `arg:"" help:"The silence, as silence list names it."`
	By string `placeholder:"NAME" help:"Who; default $$USER."`
}

// Run ends the silence.
func (c *silenceExpire) Run(t *terminal) error {
	who, err := author(c.By)
	if err != nil {
		return err
	}
	conn, store, err := t.silences()
	if err != nil {
		return err
	}
	defer conn.close()
	ended, err := store.Expire(t.ctx, c.ID, who, now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.stdout, "%s  ended: %s, %s\n", ended.ID, operationWords(ended.Operation), ruleWords(ended.Rules))
	return err
}

// silenceList lists.
type silenceList struct {
	All  bool `help:"Also those that ended within the last day."`
	JSON bool `help:"Print one JSON array."`
}

// Run prints a line for each silence, what ends first before what ends later.
func (c *silenceList) Run(t *terminal) error {
	conn, store, err := t.silences()
	if err != nil {
		return err
	}
	defer conn.close()
	kept, err := store.List(t.ctx)
	if err != nil {
		return err
	}
	at := now()
	list := []incident.Silence{} // an empty array, not null
	for _, s := range kept {
		if c.All || s.Until.After(at) {
			list = append(list, s)
		}
	}
	if c.JSON {
		return json.NewEncoder(t.stdout).Encode(list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(t.stdout, "nothing is silent")
		return err
	}
	return silenceTable(list, at).write(t.stdout)
}

func silenceTable(list []incident.Silence, at time.Time) *table {
	rows := &table{}
	rows.add("ID", "OPERATION", "FROM (UTC)", "UNTIL (UTC)", "NOW", "BY", "RULES: REASON")
	for _, s := range list {
		state := "silent"
		switch {
		case !s.Until.After(at):
			state = "over"
		case !s.Active(at):
			state = "to come"
		}
		rows.add(s.ID, fitted(operationWords(s.Operation), 16), s.From.UTC().Format("01-02 15:04"), s.Until.UTC().Format("01-02 15:04"),
			state, fitted(s.By, 16), withReason(ruleWords(s.Rules), s.Reason))
	}
	return rows
}

func withReason(text, reason string) string {
	if reason == "" { // those of the menu in Slack have none
		return text
	}
	return text + ": " + reason
}

func operationWords(operation string) string {
	if operation == events.AllOperations {
		return "all operations"
	}
	return operation
}

func ruleWords(rules []string) string {
	if len(rules) == 0 {
		return "all rules"
	}
	return strings.Join(rules, ", ")
}

// moment is a time on local clocks, with its zone.
func moment(at time.Time, zone *time.Location) string {
	return at.In(zone).Format("2006-01-02 15:04 MST")
}
