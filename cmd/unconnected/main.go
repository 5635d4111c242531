// Command unconnected is the operator's tool: everything in one process for a first try or a small site, and the commands
// that read, follow and check the history.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"time"
	_ "time/tzdata" // the zones, on machines that lack them

	"github.com/alecthomas/kong"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
)

// commands are the subcommands and their flags.
type commands struct {
	Up       upCommand        `cmd:"" help:"Run everything in one process: NATS, producer, alerter; without a WOLKVOX_TOKEN, a demo on a simulated API."`
	Simulate simulateCommand  `cmd:"" help:"Run the simulated API alone, for curl and for trying things."`
	History  historyCommand   `cmd:"" help:"Print the windows in time order, the last revision of each."`
	Tail     tailCommand      `cmd:"" help:"Follow the windows as they come, one line each."`
	Verify   verifyCommand    `cmd:"" help:"Check the history: gaps, duplicates, overlaps, order, checkpoints, sums, revisions."`
	Backfill backfillCommand  `cmd:"" help:"Ask the API for windows before the checkpoint that are not here; --recheck for those that are, too."`
	Rules    rulesCommand     `cmd:"" help:"Check, test or print alerting rules."`
	Backtest backtestCommand  `cmd:"" help:"Judge the history by rules: what they would have told, and which thresholds would tell less."`
	Explain  explainCommand   `cmd:"" help:"Say why an alert fired or was resolved: the windows, values and parts of the rule behind it."`
	Silence  silenceCommand   `cmd:"" help:"Look after silences: times in which nobody is told of some alerts."`
	Drill    drillCommand     `cmd:"" help:"Send a marked test incident down the real path, from the stream to Slack, and resolve it."`
	Streams  streamsCommand   `cmd:"" help:"Look after what exists in NATS."`
	Doctor   doctorCommand    `cmd:"" help:"Check every connection, permission, scope, clock, zone and setting: a line each, and what to do."`
	Version  kong.VersionFlag `help:"Print the build and exit."`
}

// terminal is where a command reads its circumstances from and writes to.
type terminal struct {
	ctx    context.Context
	stdout io.Writer
	stderr *os.File
	log    *slog.Logger
	nc     *nats.Conn // the last one that was opened, which knows what was refused to it; may be nil
}

func main() { os.Exit(run(os.Args[1:])) }

// run returns the exit code: 0 fine, 1 the work failed or a check found a problem, 2 wrong usage or configuration.
func run(args []string) int {
	var cli commands
	parser, err := newParser(&cli)
	if err != nil {
		panic(err) // the definition of the commands is wrong
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "unconnected: %v; see unconnected --help\n", err)
		return daemon.Code(daemon.Usage(err))
	}
	var settings config.Log
	if err := config.Load(&settings); err != nil && chosen.Command() != "up" && chosen.Command() != "doctor" { // which list them with all others
		fmt.Fprintln(os.Stderr, config.Join(err, config.Load(&streamsSettings{})))
		return daemon.Code(err)
	}
	log := daemon.NewLogger(settings, os.Stderr)
	ctx, stop := daemon.Signals(context.Background(), log)
	defer stop()
	t := &terminal{ctx: ctx, stdout: os.Stdout, stderr: os.Stderr, log: log}
	err = chosen.Run(t)
	err = natsio.Refused(t.nc, err)
	if err != nil && !errors.Is(err, errFound) && ctx.Err() == nil {
		complain(err)
	}
	if ctx.Err() != nil && !errors.Is(err, errFound) {
		return 0 // stopped by a signal
	}
	return daemon.Code(err)
}

// complain tells the person what went wrong. Problems of the configuration begin with their variables.
func complain(err error) {
	if problems := (config.Problems)(nil); errors.As(err, &problems) {
		fmt.Fprintln(os.Stderr, problems)
		return
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = errors.New("there is no history here: no producer has run with this NATS_URL yet")
	}
	fmt.Fprintln(os.Stderr, "unconnected:", err)
}

// errFound says that a check found a problem and has told about it already.
var errFound = errors.New("a problem was found")

func newParser(cli *commands) (*kong.Kong, error) {
	return kong.New(cli,
		kong.Name("unconnected"),
		kong.Description("Unconnected calls of a Wolkvox operation: history on NATS JetStream, alerts in Slack.\n\n"+
			"Every command takes the NATS settings from the environment (NATS_URL, …); the README lists all variables."),
		kong.Vars{"version": "unconnected " + daemon.Version()},
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		setter[config.Moment](), setter[config.Duration](), setter[config.Size](), setter[silenceEnd](),
	)
}

// setter lets a flag have a type that knows how to read itself.
func setter[T any, P interface {
	*T
	Set(string) error
}]() kong.Option {
	return kong.TypeMapper(reflect.TypeFor[T](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		// Pop, not PopValue: -24h is a value, though it looks like a flag.
		token := ctx.Scan.Pop()
		if token.IsEOL() {
			return errors.New("a value is missing")
		}
		if err := P(target.Addr().Interface().(*T)).Set(token.String()); err != nil {
			return err
		}
		return nil
	}))
}

// now is the instant that relative times of flags count from.
func now() time.Time { return time.Now().UTC() }
