package alerter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"unconnected/alerter/incident"
	"unconnected/alerter/slack"
	"unconnected/internal/daemon"
	"unconnected/internal/natsio"
)

// Report is the readiness: whether windows are judged and people can be told. It is safe for concurrent use.
func (a *Alerter) Report() daemon.Report { return a.report().Report }

func (a *Alerter) report() reporting {
	r := reporting{Report: daemon.Report{Ready: true, State: "ok"}}
	noConnection := natsio.Away(a.options.Conn)
	if noConnection != nil {
		r.fail("retrying", away(noConnection))
	}
	switch s, problem := a.current.Load(), a.problem.Load(); {
	case s != nil:
		if noConnection == nil { // who judges is not known otherwise
			s.duty.report(&r)
		}
		s.evaluator.report(&r)
		s.notifier.report(&r)
		s.reportPeople(&r)
	case noConnection != nil: // what could not be done for that says the same
	case problem != nil:
		r.fail("retrying", technical(*problem))
	default:
		r.fail("starting", said("reading the streams", "Está arrancando y lee los streams"))
	}
	if reason := a.refusal.Load(); reason != nil {
		r.fail("refused", because("Slack refuses the token", "Slack rechaza el token", *reason))
	}
	switch a.sink.(type) {
	case *slack.Terminal, *slack.Mirror:
		r.note(said("neither SLACK_TOKEN nor SLACK_WEBHOOK_URL is set: messages go to standard output",
			"No hay SLACK_TOKEN ni SLACK_WEBHOOK_URL: los mensajes van a la salida estándar"))
	case *slack.Webhook:
		r.note(technical("a webhook posts only: no edits, no threads, no look-up of posts whose answer was lost"))
	}
	return r
}

// away says that there is no connection to NATS, and why: a wrong password needs a person.
func away(why error) remark {
	return because("nothing is judged", "Sin conexión con NATS no se evalúa nada", why.Error())
}

// reporting is a Report in the making. What is found wrong first is its reason, what is found later a note.
type reporting struct {
	daemon.Report
	reason  remark
	notes   []remark
	standBy string // the note that another alerter judges, which is as it should be
}

func (r *reporting) fail(state string, reason remark) {
	if !r.Ready {
		r.note(reason)
		return
	}
	r.Ready, r.State, r.Reason, r.reason = false, state, reason.text, reason
}

func (r *reporting) note(about remark) {
	if about.text != r.Reason {
		r.Notes, r.notes = append(r.Notes, about.text), append(r.notes, about)
	}
}

// report says how evaluation gets on. It is safe for concurrent use.
func (e *evaluator) report(r *reporting) {
	e.mu.Lock()
	defer e.mu.Unlock()
	unread := e.calls.state()
	switch {
	case unread != "":
		r.fail("retrying", because("windows can't be read, so nothing is judged", "No se pueden leer las ventanas, así que no se evalúa nada", unread))
	case e.trouble != "":
		r.fail("retrying", because("alert events can't be stored", "No se pueden guardar los eventos de alerta", e.trouble))
	case !e.caughtUp:
		r.fail("catching up", said("reading the history", "Se lee la historia"))
	}
	if e.judgedBy != "" && e.judgedBy != e.rules.Hash() && !e.duty.has() { // what was read last may be what it took over from
		r.note(said("the alerter that judges has other rules than this one", "El alerter que evalúa tiene otras reglas que este"))
	}
	if learning := slices.Sorted(maps.Keys(e.learning)); len(learning) > 0 {
		const until = "; `unconnected backfill --from -14d` "
		r.note(said("what is usual is still being learnt, and until then only a backstop fires: "+strings.Join(learning, ", ")+until+"ends that",
			"Aún se aprende qué es lo usual, y hasta entonces solo avisa una regla de respaldo: "+strings.Join(learning, ", ")+until+"lo termina"))
	}
	for operation, end := range e.reached {
		r.Operations = append(r.Operations, daemon.Operation{Operation: operation, State: r.State, Checkpoint: end})
	}
	slices.SortFunc(r.Operations, func(a, b daemon.Operation) int { return strings.Compare(a.Operation, b.Operation) })
}

// tooLong is for how long a message may wait for Slack before the alerter does not do its job any more.
const tooLong = 5 * time.Minute

// report says whether people can be told. It is safe for concurrent use.
func (n *notifier) report(r *reporting) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if unread := n.alerts.state(); unread != "" {
		r.fail("retrying", because("alert events can't be read, so nothing is posted", "No se pueden leer los eventos de alerta, así que no se publica nada", unread))
	}
	if n.trouble != "" {
		r.fail("retrying", because("what is done for Slack can't be stored, so nothing is posted",
			"No se puede guardar lo que se hace para Slack, así que no se publica nada", n.trouble))
	}
	if !n.caughtUp {
		r.fail("catching up", said("reading the alerts", "Se leen las alertas"))
	}
	if !n.duty.has() {
		return // whether people could be told is known to whoever tells them
	}
	n.reportChannels(r, n.now())
}

// reportChannels says which channels can't be told what they should be. It must be called with mu held.
func (n *notifier) reportChannels(r *reporting, now time.Time) {
	for _, channel := range slices.Sorted(maps.Keys(n.queues)) {
		trouble := n.worstTrouble(n.queues[channel], now)
		if trouble == nil {
			continue
		}
		since := trouble.Since.UTC().Format(time.RFC3339)
		switch {
		case trouble.Class == incident.Permanent.String():
			r.fail("refused", because("Slack refuses channel "+channel, "Slack rechaza el canal "+channel, trouble.Code+"; "+trouble.Hint))
		case now.Sub(trouble.Since) > tooLong:
			r.fail("retrying", remark{
				text:      fmt.Sprintf("channel %s can't be told since %s: %s; look at status.slack.com and the way there", channel, since, trouble.Code),
				es:        fmt.Sprintf("No se puede avisar al canal %s desde %s; mire status.slack.com y la conexión", channel, since),
				technical: trouble.Code,
			})
		default:
			r.note(because(fmt.Sprintf("channel %s waits since %s", channel, since), fmt.Sprintf("El canal %s espera desde %s", channel, since), trouble.Code))
		}
	}
}

// worstTrouble is why a channel is not told what it should be: what only a person can mend, or else the oldest. It must be
// called with mu held.
func (n *notifier) worstTrouble(q *queue, now time.Time) *incident.Trouble {
	permanent := func(t *incident.Trouble) bool { return t.Class == incident.Permanent.String() }
	var worst *incident.Trouble
	for id := range q.pending {
		rec := n.records.get(id, q.channel).Record
		t := rec.Trouble
		if t == nil || !permanent(t) && n.mayWait(&rec, now) {
			continue
		}
		if worst == nil || permanent(t) && !permanent(worst) || permanent(t) == permanent(worst) && t.Since.Before(worst.Since) {
			worst = t
		}
	}
	return worst
}

// mayWait tells whether nobody wants to hear of what a record is about at present: it was never told, and is silent by now. It
// must be called with mu held.
func (n *notifier) mayWait(rec *incident.Record, now time.Time) bool {
	if rec.Begun() {
		return false
	}
	part, routed := n.part(rec.Incident, rec.Channel)
	return routed && n.wishes(&part, now).Mute.Active()
}

// How often Slack is asked whether it knows us, so that a wrong token is not found out by the first incident.
const (
	authRhythm  = 15 * time.Minute
	authRefused = 30 * time.Second
)

// vouch asks Slack who we are from time to time until ctx ends, and keeps what it refuses for the report.
func (a *Alerter) vouch(ctx context.Context) {
	client, ok := a.sink.(*slack.Client)
	for ok && ctx.Err() == nil {
		_, err := client.Auth(ctx)
		wait := authRefused
		if err == nil {
			wait = authRhythm
		}
		if reason := refusalOf(err); reason != "" {
			if a.refusal.Swap(&reason) == nil {
				a.options.Log.Error("messages wait", "reason", "Slack refuses the token: "+reason)
			}
		} else if err == nil && a.refusal.Swap(nil) != nil {
			a.options.Log.Info("Slack takes the token now")
		}
		waitFor(ctx, nil, time.Now().Add(wait))
	}
}

// refusalOf is what a person must do before Slack takes the token, or "" when that is not what is wrong.
func refusalOf(err error) string {
	var e *slack.Error
	if !errors.As(err, &e) || e.Class != incident.Permanent || e.Code == "unknown_method" || strings.HasPrefix(e.Code, "http_") {
		return ""
	}
	return e.Code + "; " + e.Hint
}
