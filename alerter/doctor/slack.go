package doctor

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"unconnected/alerter"
	"unconnected/alerter/rule"
	"unconnected/alerter/slack"
	"unconnected/internal/diagnosis"
)

// target is a channel that alerts go to, and who names it.
type target struct {
	name string
	by   string // SLACK_CHANNEL, or the rules
}

// targets are the default channel and those of the rules, each once.
func targets(s *alerter.Slack, rules *rule.Set) []target {
	var all []target
	add := func(name, by string) {
		if name != "" && !slices.ContainsFunc(all, func(t target) bool { return t.name == name }) {
			all = append(all, target{name, by})
		}
	}
	add(s.Channel, "SLACK_CHANNEL")
	if rules != nil {
		for _, r := range rules.Rules {
			add(r.Channel, "rule "+r.Name)
		}
	}
	return all
}

// ExamineSlack checks tokens, scopes and channels. Rules may be nil.
func ExamineSlack(ctx context.Context, s *alerter.Slack, rules *rule.Set) diagnosis.Findings {
	switch {
	case s.Token.IsSet():
		return examineToken(ctx, s, rules)
	case s.WebhookURL.IsSet():
		return diagnosis.Findings{diagnosis.Ok("webhook", "SLACK_WEBHOOK_URL is an address; whether Slack takes it shows only with a message. "+
			"It can post only: no edits, threads, buttons, pictures")}
	}
	if s.Channel != "" {
		return diagnosis.Findings{diagnosis.Warn("token", "set SLACK_TOKEN or SLACK_TOKEN_FILE (or SLACK_WEBHOOK_URL)",
			"SLACK_CHANNEL is %s, but nobody is told there: without a token alerts go to standard output", s.Channel)}
	}
	return diagnosis.Findings{diagnosis.Skip("token", "set SLACK_TOKEN and SLACK_CHANNEL (or SLACK_WEBHOOK_URL)", "not configured: alerts go to standard output")}
}

func examineToken(ctx context.Context, s *alerter.Slack, rules *rule.Set) diagnosis.Findings {
	client := slack.NewClient(slack.Config{APIURL: s.APIURL, Token: s.Token.Value})
	who, err := client.Auth(ctx)
	found := diagnosis.Findings{judgeAuth(who, err)}
	if err == nil {
		var channels diagnosis.Findings
		w := workspace{socket: s.AppToken.IsSet(), operators: s.Operators != ""}
		for _, t := range targets(s, rules) {
			state, err := client.Channel(ctx, t.name)
			w.note(t, state, err)
			channels = append(channels, judgeChannel(t, who.User, state, err))
		}
		found = append(append(found, judgeScopes(who.Scopes, w)), channels...)
	}
	if s.WebhookURL.IsSet() {
		found = append(found, diagnosis.Warn("webhook", "take it away", "SLACK_WEBHOOK_URL is ignored, because there is a SLACK_TOKEN"))
	}
	return append(found, examineSocket(ctx, s))
}

// note takes a channel into account. One that is not seen may be either kind.
func (w *workspace) note(t target, state slack.ChannelState, err error) {
	w.public = w.public || !state.Private
	w.private = w.private || state.Private || errors.Is(err, slack.ErrNoChannel)
	w.byName = w.byName || !looksLikeID.MatchString(t.name)
}

var looksLikeID = regexp.MustCompile(`^[CGD][A-Z0-9]{6,}$`)

func judgeAuth(who slack.Identity, err error) diagnosis.Finding {
	if err != nil {
		return judgeError("token", err)
	}
	return diagnosis.Ok("token", "accepted: bot %s of workspace %s", cmp.Or(who.User, "(no name)"), cmp.Or(who.Team, "(no name)"))
}

// judgeError says why Slack did not answer as hoped.
func judgeError(check string, err error) diagnosis.Finding {
	const elsewhere = "look at the network, its proxies, SLACK_API_URL and status.slack.com"
	var e *slack.Error
	if !errors.As(err, &e) {
		return diagnosis.Fail(check, elsewhere, "%v", err)
	}
	next := cmp.Or(e.Hint, elsewhere)
	what := "Slack refuses: " + e.Code
	if e.Err != nil || strings.HasPrefix(e.Code, "http_") || e.Code == "timeout" || e.Code == "unreadable_answer" {
		what = "no answer of Slack: " + e.Code
		if e.Err != nil {
			what += ": " + e.Err.Error()
		}
	}
	return diagnosis.Fail(check, next, "%s", what)
}

// judgeChannel says whether alerts can be posted to a channel. bot is the name to invite.
func judgeChannel(t target, bot string, c slack.ChannelState, err error) diagnosis.Finding {
	check := "channel " + t.name
	var e *slack.Error
	switch {
	case errors.Is(err, slack.ErrNoChannel):
		return diagnosis.Fail(check, "correct "+t.by+"; if it is private, invite the bot there, and give it the scopes groups:read and groups:history",
			"the bot sees no channel of that name")
	case errors.As(err, &e) && e.Code == "missing_scope":
		return diagnosis.Skip(check, e.Hint, "not checked: a scope is missing")
	case errors.As(err, &e) && e.RetryAfter > 0, errors.As(err, &e) && e.Code == "ratelimited":
		return diagnosis.Skip(check, "run it again in a minute", "not checked: Slack wants fewer questions")
	case err != nil:
		return judgeError(check, err)
	case c.Archived:
		return diagnosis.Fail(check, "name another one in "+t.by+", or restore it", "is archived (%s)", c.ID)
	case !c.Member:
		return diagnosis.Fail(check, "in the channel: /invite @"+bot, "the bot is not in it (%s)", c.ID)
	}
	kind := "public"
	if c.Private {
		kind = "private"
	}
	return diagnosis.Ok(check, "%s, %s, the bot is in it (named by %s)", c.ID, kind, t.by)
}

// examineSocket checks the app-level token, without which there are neither buttons nor a slash command.
func examineSocket(ctx context.Context, s *alerter.Slack) diagnosis.Finding {
	const check = "socket"
	if !s.AppToken.IsSet() {
		return diagnosis.Skip(check, "set SLACK_APP_TOKEN for buttons and the slash command (Socket Mode)", "not configured")
	}
	if err := slack.AuthApp(ctx, s.APIURL, s.AppToken.Value, 0); err != nil {
		return judgeError(check, err)
	}
	return diagnosis.Ok(check, "Socket Mode can be opened")
}
