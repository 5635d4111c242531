package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	alertdoctor "unconnected/alerter/doctor"
	"unconnected/events"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
	"unconnected/producer"
	pollingdoctor "unconnected/producer/doctor"
	"unconnected/producer/wolkvox"
)

// part is a check that is made beside others.
type part struct {
	area, operation string
	check           func(context.Context) diagnosis.Findings
	found           diagnosis.Findings
}

// checkRest checks all but NATS itself, side by side, and tells it in a fixed order.
func (u *checkup) checkRest() {
	parts := append(u.logs(), u.apis()...)
	parts = append(parts,
		part{area: areaAlerter, check: u.checkWork}, part{area: areaRules, check: u.checkRules},
		part{area: areaSlack, check: u.checkSlack}, part{area: areaDisk, check: u.checkDisk})
	var group sync.WaitGroup
	for i := range parts {
		group.Go(func() { parts[i].found = parts[i].check(u.t.ctx) })
	}
	group.Wait()
	for _, p := range parts {
		for _, f := range p.found {
			if f.Operation == "" {
				f.Operation = p.operation
			}
			u.tell(p.area, f.Operation, f)
		}
	}
}

// mostLogs bounds how many logs are told about that this environment does not name.
const mostLogs = 20

// logs are a part for each operation of the environment; if it names none, for each in the history.
func (u *checkup) logs() []part {
	if u.js == nil {
		return nil
	}
	var parts []part
	add := func(operation, source string) {
		o := pollingdoctor.LogOptions{Operation: operation, Source: source, Settle: time.Duration(u.settings.producer.Settle)}
		parts = append(parts, part{area: areaHistory, operation: operation, check: func(ctx context.Context) diagnosis.Findings {
			o.Now = now()
			return pollingdoctor.ExamineLog(ctx, u.js, o)
		}})
	}
	for _, o := range u.settings.operations {
		add(o.Name, o.Source())
	}
	if len(parts) == 0 {
		for _, operation := range loggedOperations(u.t.ctx, u.js) {
			if len(parts) < mostLogs {
				add(operation, "")
			}
		}
	}
	return parts
}

// loggedOperations are those with a log, as far as that can be read.
func loggedOperations(ctx context.Context, js jetstream.JetStream) []string {
	var operations []string
	stream, err := js.Stream(ctx, events.StreamCalls)
	if err != nil {
		return nil // was told with the streams
	}
	for _, filter := range events.Subjects() {
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
		if err != nil {
			return nil
		}
		for subject := range info.State.Subjects {
			if operation := events.OperationOf(subject); operation != "" {
				operations = append(operations, operation)
			}
		}
	}
	slices.Sort(operations)
	return operations
}

// apis are a part for each operation that the environment names.
func (u *checkup) apis() []part {
	if len(u.settings.operations) == 0 {
		return []part{{area: areaWolkvox, check: func(context.Context) diagnosis.Findings { return u.settings.noOperation() }}}
	}
	if u.leases == nil && !u.command.WithoutNATS {
		return []part{{area: areaWolkvox, check: func(context.Context) diagnosis.Findings { return notAsked() }}}
	}
	var access *pollingdoctor.Access
	if u.leases != nil {
		bucket, err := u.js.KeyValue(u.t.ctx, natsio.BucketLeases)
		if err != nil {
			return []part{{area: areaWolkvox, check: func(context.Context) diagnosis.Findings { return notAsked() }}}
		}
		access = &pollingdoctor.Access{JS: u.js, Leases: u.leases, Ledgers: bucket, Daily: int64(u.settings.producer.DailyBudget)}
	}
	transport := wolkvox.NewTransport(1)
	parts := make([]part, len(u.settings.operations))
	for i, o := range u.settings.operations {
		parts[i] = part{area: areaWolkvox, operation: o.Name, check: func(ctx context.Context) diagnosis.Findings {
			return u.examine(ctx, o, access, transport)
		}}
	}
	return parts
}

// notAsked is the finding when it is not certain that nobody else uses the token.
func notAsked() diagnosis.Findings {
	return diagnosis.Findings{diagnosis.Skip("api", "mend NATS first; or, if nothing polls this operation yet: unconnected doctor --without-nats",
		"not asked: without the leases in NATS nobody can tell whether a producer uses the token now")}
}

func (u *checkup) examine(ctx context.Context, o producer.Operation, access *pollingdoctor.Access, transport http.RoundTripper) diagnosis.Findings {
	p := &u.settings.producer
	found, requests := pollingdoctor.Examine(ctx, pollingdoctor.Options{
		Operation: o, Window: time.Duration(p.Window), Settle: time.Duration(p.Settle), Reconcile: time.Duration(p.Reconcile),
		Timeout: time.Duration(p.Timeout), Access: access, Transport: transport,
	})
	u.requests.Add(int64(requests))
	return found
}

func (u *checkup) checkWork(ctx context.Context) diagnosis.Findings {
	if u.js == nil {
		return nil
	}
	return alertdoctor.ExamineWork(ctx, u.js, u.leases, now())
}

func (u *checkup) checkRules(ctx context.Context) diagnosis.Findings {
	set := u.settings.alerter.Rules()
	if set == nil {
		return diagnosis.Findings{diagnosis.Skip("file", "correct ALERT_RULES: see the settings above", "not checked")}
	}
	source := u.settings.alerter.RulesFile
	if source == "" {
		source = builtinRules
	}
	return alertdoctor.ExamineRules(ctx, u.js, set, source, now())
}

func (u *checkup) checkSlack(ctx context.Context) diagnosis.Findings {
	if u.settings.wrong(areaSlack) {
		return diagnosis.Findings{diagnosis.Skip("token", "correct the settings above", "not checked")}
	}
	return alertdoctor.ExamineSlack(ctx, &u.settings.alerter.Slack, u.settings.alerter.Rules())
}

func (u *checkup) checkDisk(context.Context) diagnosis.Findings {
	return diagnosis.Findings{examineDisk(u.command.Data, int64(u.settings.nats.History.MaxBytes))}
}
