package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"unconnected/alerter/replay"
	"unconnected/alerter/replay/report"
	"unconnected/alerter/rule"
	"unconnected/events"
	"unconnected/internal/daemon"
)

// backtestCommand judges history by rules.
type backtestCommand struct {
	selection
	Rules   string   `placeholder:"FILE" help:"The rules: a YAML file, a directory of them, or builtin; default ALERT_RULES, else builtin."`
	Against string   `placeholder:"FILE" help:"Other rules to compare with."`
	Input   string   `placeholder:"FILE.jsonl" help:"Take the windows from what history --format jsonl wrote, instead of from NATS; - is standard input."`
	JSON    bool     `help:"Print one transition a line, as the stream ALERTS would hold it; with --against, a field rules tells whose it is."`
	Report  string   `placeholder:"FILE.html" help:"Write an HTML page with a plot of each incident."`
	Suggest *float64 `placeholder:"N" help:"Look for thresholds that give at most N alerts a week."`
}

// leadIn is how long before --from windows are judged already, so that what rules remember is right at --from: five
// weeks, and a day.
const leadIn = 36 * 24 * time.Hour

// Validate refuses what can be seen to be wrong before any work.
func (c *backtestCommand) Validate() error {
	if c.Suggest != nil && !(*c.Suggest >= 0) {
		return fmt.Errorf("--suggest: %v is no number of alerts", *c.Suggest)
	}
	if c.Suggest != nil && c.JSON {
		return errors.New("--suggest is for people: it cannot be had with --json")
	}
	return c.selection.Validate()
}

// backtest is a command's work.
type backtest struct {
	command       *backtestCommand
	t             *terminal
	options       replay.Options
	rules         *rule.Set
	name          string
	against       *rule.Set // nil without --against
	list          []events.Event
	result, other *replay.Result
	suggestions   []replay.Suggestion
}

// Run judges the windows and tells what the rules would have told.
func (c *backtestCommand) Run(t *terminal) error {
	b := &backtest{command: c, t: t}
	if err := b.load(); err != nil {
		return err
	}
	if err := b.read(); err != nil {
		return err
	}
	if err := b.judge(); err != nil {
		return err
	}
	if err := b.writeReport(); err != nil {
		return err
	}
	if c.JSON {
		return b.printJSON(t.stdout)
	}
	return b.print(t.stdout)
}

// load reads rules and settings.
func (b *backtest) load() error {
	settings, err := alertSettings()
	if err != nil {
		return err
	}
	judging, language := settings.Judging()
	query := b.command.query()
	b.options = replay.Options{
		MaxAge: judging.MaxAge, Zone: judging.Zone, Language: language, From: query.From, To: query.To, Values: b.command.Report != "",
	}
	var wrong error
	if b.command.Against != "" {
		b.against, wrong = loadRules("--against", b.command.Against)
	}
	b.rules, b.name, err = alertRules("--rules", b.command.Rules, settings)
	return errors.Join(err, wrong)
}

// read reads the windows.
func (b *backtest) read() error {
	var err error
	if b.command.Input != "" {
		b.list, err = b.readInput()
	} else {
		b.list, err = b.readStream()
	}
	return err
}

func (b *backtest) readInput() ([]events.Event, error) {
	name := b.command.Input
	var in io.Reader = os.Stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, daemon.Usage(fmt.Errorf("--input: %w", err))
		}
		defer file.Close()
		in = file
	}
	in, finish := b.counting(in)
	defer finish()
	list, err := replay.ReadJSONL(in)
	var bad replay.BadLines
	if errors.As(err, &bad) {
		return nil, fmt.Errorf("--input: %s: lines that are no windows\n%w", name, bad)
	}
	if err != nil {
		return nil, fmt.Errorf("--input: %s: %w", name, err)
	}
	return b.ofOperations(list), nil
}

// ofOperations leaves out what --operation does not name.
func (b *backtest) ofOperations(list []events.Event) []events.Event {
	if len(b.command.Operation) == 0 {
		return list
	}
	wanted := make(map[string]bool)
	for _, name := range b.command.Operation {
		wanted[name] = true
	}
	kept := list[:0]
	for _, e := range list {
		if wanted[e.Operation] {
			kept = append(kept, e)
		}
	}
	return kept
}

func (b *backtest) readStream() ([]events.Event, error) {
	conn, err := b.t.connect()
	if err != nil {
		return nil, err
	}
	defer conn.close()
	if err := warnUnlogged(b.t, conn.js, b.command.Operation); err != nil {
		return nil, err
	}
	query := b.command.query()
	if !query.From.IsZero() {
		query.From = query.From.Add(-leadIn)
	}
	progress, err := b.reading(conn.js)
	if err != nil {
		return nil, err
	}
	defer progress.finish()
	var list []events.Event
	for e, err := range reportInvalid(b.t, events.History(b.t.ctx, conn.js, query)) {
		if err != nil {
			return nil, err
		}
		progress.reach(e.Sequence)
		e.Reported = nil // nobody here reads it, and it is half of the memory
		list = append(list, e)
	}
	return replay.Arrange(list), nil
}

// sequences tells how far CALLS has been read.
type sequences struct {
	*progress
	last uint64
}

// reach counts the messages up to a sequence, those in between that were not wanted too.
func (s *sequences) reach(sequence uint64) {
	s.add(int(sequence - s.last))
	s.last = sequence
}

// reading begins to tell how far CALLS has been read.
func (b *backtest) reading(js jetstream.JetStream) (*sequences, error) {
	stream, err := js.Stream(b.t.ctx, events.StreamCalls)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", events.StreamCalls, err)
	}
	state := stream.CachedInfo().State
	before := max(state.FirstSeq, 1) - 1
	return &sequences{progress: newProgress(b.t, "read", "messages", int64(state.LastSeq-min(state.LastSeq, before))), last: before}, nil
}

// counting tells how much of a file has been read until finish is called.
func (b *backtest) counting(in io.Reader) (counted io.Reader, finish func()) {
	file, ok := in.(*os.File)
	if !ok {
		return in, func() {}
	}
	info, err := file.Stat()
	if err != nil || info.Size() == 0 || !info.Mode().IsRegular() {
		return in, func() {}
	}
	r := &countingReader{in: in, progress: newProgress(b.t, "read", "bytes", info.Size())}
	return r, r.progress.finish
}

type countingReader struct {
	in       io.Reader
	progress *progress
}

func (r *countingReader) Read(into []byte) (int, error) {
	n, err := r.in.Read(into)
	r.progress.add(n)
	return n, err
}

// judge replays the windows with all rules asked for.
func (b *backtest) judge() error {
	b.result = replay.Run(b.list, b.rules, b.options)
	if b.against != nil {
		b.other = replay.Run(b.list, b.against, b.options)
	}
	if b.command.Suggest == nil {
		return nil
	}
	var err error
	b.suggestions, err = replay.Suggest(b.list, b.rules, b.options, *b.command.Suggest)
	return err
}

// writeReport writes the page, whole or not at all.
func (b *backtest) writeReport() error {
	path := b.command.Report
	if path == "" {
		return nil
	}
	page := report.Page{
		Result: b.result, Name: b.name, Against: b.other, AgainstName: b.command.Against, Suggestions: b.suggestions,
		Source: b.source(), Zone: b.options.Zone, Language: b.options.Language, Made: now(),
	}
	if b.command.Suggest != nil {
		page.SuggestFor = *b.command.Suggest
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".backtest-*.html")
	if err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	err = errors.Join(report.Write(file, &page), file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("--report: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

// source says where the windows came from.
func (b *backtest) source() string {
	switch b.command.Input {
	case "":
		return "windows from the stream " + events.StreamCalls
	case "-":
		return "windows from standard input"
	}
	return "windows from " + filepath.Base(b.command.Input)
}
