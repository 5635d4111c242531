package main

import (
	"errors"
	"net/url"
	"os"
	"slices"
	"strings"

	"unconnected/alerter"
	"unconnected/internal/config"
	"unconnected/internal/daemon"
	"unconnected/internal/diagnosis"
	"unconnected/internal/natsroles"
	"unconnected/producer"
)

// circumstances are the settings of both daemons, as far as the environment has them right.
type circumstances struct {
	nats       streamsSettings
	producer   producer.Config
	alerter    alerter.Config
	problems   config.Problems
	warnings   []config.Problem
	operations []producer.Operation // to ask about; none when they are not configured, or wrongly
}

// loadLeniently reads the environment. What is wrong in it is no error but something to tell; the error is about the chosen
// operations.
func loadLeniently(chosen []string) (*circumstances, error) {
	c := &circumstances{warnings: config.Warnings()}
	err := config.Join(config.Load(&daemon.Settings{}), config.Load(&c.nats), config.Load(&c.producer), config.Load(&c.alerter))
	if !errors.As(err, &c.problems) && err != nil {
		return nil, err
	}
	if !mentionsAPI() {
		c.problems = slices.DeleteFunc(c.problems, func(p config.Problem) bool { return p.Name == "WOLKVOX_TOKEN" || p.Name == "WOLKVOX_SERVER" })
		return c, nil
	}
	if c.wrong(areaWolkvox) {
		return c, nil
	}
	c.operations, err = configured(&c.producer, chosen)
	return c, err
}

// mentionsAPI tells that the environment is meant to name an operation.
func mentionsAPI() bool {
	return !noToken() || os.Getenv("WOLKVOX_SERVER") != "" || os.Getenv("WOLKVOX_BASE_URL") != ""
}

// areas are where settings belong, by the beginning of their names.
var areas = []struct{ prefix, area string }{
	{"NATS_", areaNATS}, {"HISTORY_", areaNATS}, {"WOLKVOX_", areaWolkvox}, {"POLL_", areaWolkvox}, {"SLACK_", areaSlack},
	{"ALERT_RULES", areaRules},
}

// wrong tells whether a setting of an area is.
func (c *circumstances) wrong(area string) bool {
	return slices.ContainsFunc(c.problems, func(p config.Problem) bool {
		return slices.ContainsFunc(areas, func(a struct{ prefix, area string }) bool {
			return a.area == area && strings.HasPrefix(p.Name, a.prefix)
		})
	})
}

// judge tells what is wrong with the environment.
func (c *circumstances) judge() diagnosis.Findings {
	var found diagnosis.Findings
	for _, p := range c.problems {
		found = append(found, diagnosis.Fail(p.Name, "correct it where the environment is set (.env)", "%s", p.Text))
	}
	for _, w := range c.warnings {
		found = append(found, diagnosis.Warn(w.Name, "correct its name, or take it away", "%s", w.Text))
	}
	if len(found) == 0 {
		found = diagnosis.Findings{diagnosis.Ok("environment", "no problems")}
	}
	return found
}

// noOperation says why no API is asked.
func (c *circumstances) noOperation() diagnosis.Findings {
	if c.wrong(areaWolkvox) {
		return diagnosis.Findings{diagnosis.Skip("api", "correct the settings above", "not asked")}
	}
	return diagnosis.Findings{diagnosis.Skip("api", "set WOLKVOX_SERVER, WOLKVOX_TOKEN and WOLKVOX_TIMEZONE", "not configured: up runs its demo, on a simulated API")}
}

// roles are those of the users in NATS that this environment is for.
func (c *circumstances) roles() []natsroles.Role {
	programs := map[string]bool{
		natsroles.Producer: len(c.operations) > 0,
		natsroles.Alerter:  c.alerter.Slack.Token.IsSet() || c.alerter.WebhookURL.IsSet(),
	}
	return slices.DeleteFunc(natsroles.Roles(), func(r natsroles.Role) bool { return !programs[r.Name] })
}

// secrets are all values of the environment that must not be seen.
func (c *circumstances) secrets() []string {
	held := []config.Secret{
		c.nats.Password, c.producer.Token, c.alerter.Slack.Token, c.alerter.AppToken, c.alerter.WebhookURL, c.alerter.HeartbeatURL,
	}
	for _, o := range c.producer.TheOperations() {
		held = append(held, o.Token)
	}
	var secrets []string
	for _, s := range held {
		secrets = append(secrets, s.Value())
	}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if isSecret(name) {
			secrets = append(secrets, strings.TrimSpace(value))
		}
		for part := range strings.SplitSeq(value, ",") {
			secrets = append(secrets, userinfo(part)...)
		}
	}
	if _, key, found := strings.Cut(c.alerter.WebhookURL.Value(), "/services/"); found {
		secrets = append(secrets, key)
	}
	return secrets
}

// isSecret tells by a variable's name that its value is one, whether it can be used or not.
func isSecret(name string) bool {
	return slices.ContainsFunc([]string{"_TOKEN", "_PASSWORD", "SLACK_WEBHOOK_URL", "ALERT_HEARTBEAT_URL"}, func(suffix string) bool {
		return strings.HasSuffix(name, suffix)
	})
}

// userinfo is the password in an address, or what stands in its place.
func userinfo(address string) []string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.User == nil {
		return nil
	}
	if password, set := u.User.Password(); set {
		_, escaped, _ := strings.Cut(u.User.String(), ":")
		return []string{password, escaped}
	}
	return []string{u.User.Username()} // a token
}
