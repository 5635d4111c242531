package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/term"

	"unconnected/internal/diagnosis"
	"unconnected/internal/lease"
	"unconnected/internal/natsio"
	natsdoctor "unconnected/internal/natsio/doctor"
)

// doctorCommand checks everything that can be checked from here.
type doctorCommand struct {
	Operation   []string `placeholder:"NAME" help:"Only these operations; default all that the environment names."`
	Data        string   `default:"./data" placeholder:"DIR" help:"Where up keeps its files, for the disk (default ${default})."`
	WithoutNATS bool     `name:"without-nats" help:"Leave NATS out, before the first start. The API is asked without the token's lease then: nothing else may use the token meanwhile."`
	JSON        bool     `help:"Print one JSON document instead of lines."`
}

// checkup is one run of the doctor.
type checkup struct {
	t        *terminal
	command  *doctorCommand
	settings *circumstances
	nc       *nats.Conn          // nil: no connection
	js       jetstream.JetStream // nil: no connection
	leases   *lease.Keeper       // nil: no connection, or nothing to hold
	report   doctorReport
	requests atomic.Int64 // to the API
}

// The areas of findings, in the order in which they are told.
const (
	areaSettings = "settings"
	areaNATS     = "nats"
	areaStreams  = "streams"
	areaHistory  = "history"
	areaWolkvox  = "wolkvox"
	areaAlerter  = "alerter"
	areaRules    = "rules"
	areaSlack    = "slack"
	areaDisk     = "disk"
)

// Run checks, tells, and fails when something failed.
func (c *doctorCommand) Run(t *terminal) error {
	settings, err := loadLeniently(c.Operation)
	if err != nil {
		return err
	}
	u := &checkup{t: t, command: c, settings: settings}
	u.tell(areaSettings, "", settings.judge()...)
	u.show("NATS")
	u.checkNATS()
	defer u.close()
	u.show("the API, Slack and the rest")
	u.checkRest()
	u.show("")
	if t.ctx.Err() != nil {
		return t.ctx.Err() // what was cut short would look like a fault
	}
	u.report.Requests = u.requests.Load()
	u.report.Findings.Redact(settings.secrets())
	if err := u.report.print(t, c.JSON); err != nil {
		return err
	}
	if u.report.Findings.Count(diagnosis.Failed) > 0 {
		return errFound
	}
	return nil
}

func (u *checkup) tell(area, operation string, found ...diagnosis.Finding) {
	u.report.Findings = append(u.report.Findings, diagnosis.Findings(found).In(area, operation)...)
}

// show says on a terminal what is being done; nothing clears the line.
func (u *checkup) show(what string) {
	if u.t.stderr == nil || !term.IsTerminal(int(u.t.stderr.Fd())) {
		return
	}
	text := "\r\033[K"
	if what != "" {
		text += "checking " + what + " …"
	}
	fmt.Fprint(u.t.stderr, text)
}

func (u *checkup) close() {
	if u.leases != nil {
		u.leases.Close()
	}
	if u.nc != nil {
		u.nc.Close()
	}
}

// checkNATS connects, looks at what is there, and then takes part in the leases.
func (u *checkup) checkNATS() {
	ctx := u.t.ctx // without a deadline: each request has one of its own
	switch {
	case u.command.WithoutNATS:
		u.tell(areaNATS, "", diagnosis.Skip("connection", "", "left out: --without-nats"))
		return
	case u.settings.wrong(areaNATS):
		u.tell(areaNATS, "", diagnosis.Skip("connection", "correct the settings above", "not checked"))
		return
	}
	nc, connection := natsdoctor.Connect(ctx, &u.settings.nats.NATS)
	u.tell(areaNATS, "", connection)
	if nc == nil {
		return
	}
	u.nc = nc
	js, err := natsdoctor.Open(nc)
	if err != nil {
		u.tell(areaNATS, "", diagnosis.Fail("jetstream", "", "%v", err))
		return
	}
	u.js = js
	server, streams := natsdoctor.Examine(ctx, js, natsdoctor.Options{
		NATS: u.settings.nats.NATS, History: u.settings.nats.History, Roles: u.settings.roles(),
	})
	u.tell(areaNATS, "", server...)
	u.tell(areaStreams, "", streams...)
	if err := u.openLeases(ctx); err != nil {
		u.tell(areaStreams, "", u.judgeLeases(err))
	}
}

// judgeLeases says what it means that the leases can't be seen. Only who asks the API has to.
func (u *checkup) judgeLeases(err error) diagnosis.Finding {
	if errors.Is(err, natsio.ErrPermission) && len(u.settings.operations) == 0 {
		return diagnosis.Skip("leases", "look with the alerter's or the admin's user", "who is at work is not visible: %v", err)
	}
	if f, is := natsdoctor.Stuck("leases", err); is {
		return f
	}
	return diagnosis.Fail("leases", "connect as the producer, or let this user use the bucket "+natsio.BucketLeases, "%v", err)
}

// openLeases takes part in the leases, so that the API is asked in turn with whoever polls. Their bucket is created only
// when there is an API to ask.
func (u *checkup) openLeases(ctx context.Context) error {
	_, err := u.js.KeyValue(ctx, natsio.BucketLeases)
	if errors.Is(err, jetstream.ErrBucketNotFound) && len(u.settings.operations) == 0 {
		return nil
	}
	host, _ := os.Hostname() // without a name people see less of who holds a token
	u.leases, err = lease.New(ctx, u.js, lease.Options{
		Bucket: natsio.BucketLeases, Replicas: u.settings.nats.Replicas, Name: "doctor@" + host, Log: slog.New(slog.DiscardHandler),
	})
	return err
}
