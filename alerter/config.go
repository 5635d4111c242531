package alerter

import (
	"errors"
	"os"
	"strings"
	"time"

	"unconnected/alerter/rule"
	"unconnected/alerter/slack"
	"unconnected/events"
	"unconnected/internal/config"
)

// Config is the alerter's part of the environment. Fill it with [config.Load], which validates it and reads the rules.
type Config struct {
	config.NATS
	config.History
	Alerts
	Slack

	rules *rule.Set
}

// Alerts says what is judged, and how people are told.
type Alerts struct {
	RulesFile      string           `envconfig:"ALERT_RULES" unset:"the built-in pack" desc:"rules: a YAML file, or a directory of them"`
	Language       string           `envconfig:"ALERT_LANGUAGE" oneof:"en,es" unset:"from LANG, else en" desc:"language of the messages: en or es"`
	Timezone       config.Location  `envconfig:"ALERT_TIMEZONE" unset:"the event's timezone" desc:"zone of times in messages and of the hours in rules"`
	OperationNames config.Map       `envconfig:"ALERT_OPERATION_NAMES" example:"default:Ventas Bogotá,cob:Cobranza" desc:"what people call the operations"`
	Remind         config.Duration  `envconfig:"ALERT_REMIND" default:"4h" desc:"an incident that still fires and that nobody has acknowledged is mentioned again after this; 0: never"`
	MaxAge         config.Duration  `envconfig:"ALERT_MAX_AGE" default:"30m" desc:"windows older than this when they are judged make no new message"`
	Digest         config.TimeOfDay `envconfig:"ALERT_DIGEST" example:"07:00" desc:"local time of a daily message about yesterday: volume, shares, incidents, completeness"`
	HeartbeatURL   config.Secret    `envconfig:"ALERT_HEARTBEAT_URL" example:"https://hc.example.com/ping/1" desc:"asked for (GET) at once and every minute while the alerter judges and is ready: an external dead man's switch"`
}

// Slack says where people are told.
type Slack struct {
	Token           config.Secret `envconfig:"SLACK_TOKEN" alt:"SLACK_BOT_TOKEN" desc:"bot token"`
	Channel         string        `envconfig:"SLACK_CHANNEL" example:"#noc" desc:"default channel, id or name; required with SLACK_TOKEN"`
	AppToken        config.Secret `envconfig:"SLACK_APP_TOKEN" desc:"app-level token for Socket Mode: buttons and the slash command work; needs SLACK_TOKEN"`
	Operators       string        `envconfig:"SLACK_OPERATORS" example:"S012AB3CD" unset:"the members of the channel" desc:"user group, by its id, whose members alone may use the buttons"`
	WebhookURL      config.Secret `envconfig:"SLACK_WEBHOOK_URL" example:"https://hooks.slack.com/services/…" desc:"the reduced alternative to a token: post only"`
	MentionCritical config.List   `envconfig:"SLACK_MENTION_CRITICAL" example:"@here" desc:"who is mentioned when a critical incident opens or gets worse: @here, a user or group id"`
	APIURL          string        `envconfig:"SLACK_API_URL" default:"https://slack.com/api/" desc:"where Slack's Web API is found"`
}

// Validate checks the settings against each other and reads the rules.
func (c *Config) Validate() []config.Problem {
	problems := c.Slack.check()
	if c.HeartbeatURL.IsSet() {
		if err := config.CheckURL(c.HeartbeatURL.Value(), "http", "https"); err != nil {
			problems = append(problems, config.Problemf("ALERT_HEARTBEAT_URL", "%v, for example https://hc.example.com/ping/1", err))
		}
	}
	for name := range c.OperationNames {
		if !events.ValidOperation(name) {
			problems = append(problems, config.Problemf("ALERT_OPERATION_NAMES", "%q is not the name of an operation, for example default:Ventas", name))
		}
	}
	c.Alerts.Language = Language(c.Alerts.Language)
	return append(problems, c.loadRules()...)
}

func (s *Slack) check() []config.Problem {
	var problems []config.Problem
	if s.Token.IsSet() && s.Channel == "" {
		problems = append(problems, config.Problemf("SLACK_CHANNEL", "is required with SLACK_TOKEN, for example #noc"))
	}
	problems = append(problems, s.checkTokens()...)
	if s.WebhookURL.IsSet() {
		if err := config.CheckURL(s.WebhookURL.Value(), "http", "https"); err != nil {
			problems = append(problems, config.Problemf("SLACK_WEBHOOK_URL", "%v, for example https://hooks.slack.com/services/…", err))
		}
	}
	if err := config.CheckURL(s.APIURL, "http", "https"); err != nil {
		problems = append(problems, config.Problemf("SLACK_API_URL", "%v, for example https://slack.com/api/", err))
	}
	if s.Operators != "" && !slack.ValidGroup(s.Operators) {
		problems = append(problems, config.Problemf("SLACK_OPERATORS", "%q is not the id of a user group, for example S012AB3CD", s.Operators))
	}
	for _, mention := range s.MentionCritical {
		if _, ok := slack.ParseMention(mention); !ok {
			problems = append(problems, config.Problemf("SLACK_MENTION_CRITICAL", "%q is neither @here, @channel, nor a user or group id, for example U012AB3CD", mention))
		}
	}
	return problems
}

// checkTokens finds a token in the other one's place: Slack names a kind by the beginning of its tokens.
func (s *Slack) checkTokens() []config.Problem {
	var problems []config.Problem
	if s.Token.IsSet() && strings.HasPrefix(s.Token.Value(), "xapp-") {
		problems = append(problems, config.Problemf("SLACK_TOKEN", "is an app-level token (xapp-…), which belongs in SLACK_APP_TOKEN; here goes the bot token (xoxb-…)"))
	}
	if s.AppToken.IsSet() && strings.HasPrefix(s.AppToken.Value(), "xox") {
		problems = append(problems, config.Problemf("SLACK_APP_TOKEN", "is a bot or user token (xox…), which belongs in SLACK_TOKEN; here goes the app-level token (xapp-…)"))
	}
	return problems
}

// loadRules reads ALERT_RULES; each thing that is wrong in a file is a problem of its own.
func (c *Config) loadRules() []config.Problem {
	if c.RulesFile == "" {
		c.rules = rule.Builtin()
		return nil
	}
	set, err := rule.Load(c.RulesFile)
	var list rule.Problems
	switch {
	case err == nil:
		c.rules = set
		return nil
	case !errors.As(err, &list):
		return []config.Problem{config.Problemf("ALERT_RULES", "%v", err)}
	}
	problems := make([]config.Problem, len(list))
	for i, p := range list {
		problems[i] = config.Problemf("ALERT_RULES", "%s", p)
	}
	return problems
}

// Rules are those of ALERT_RULES, or the built-in ones; nil when there is something wrong with them.
func (c *Config) Rules() *rule.Set { return c.rules }

// Language is the configured language (ALERT_LANGUAGE; "" when it is not set), else that of the process's locale, else English.
func Language(configured string) string {
	if configured != "" {
		return strings.ToLower(configured)
	}
	for _, variable := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale := os.Getenv(variable); locale != "" {
			if strings.HasPrefix(strings.ToLower(locale), "es") {
				return "es"
			}
			return "en"
		}
	}
	return "en"
}

// maxAge is ALERT_MAX_AGE.
func (c *Config) maxAge() time.Duration { return time.Duration(c.Alerts.MaxAge) }
