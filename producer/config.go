package producer

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"unconnected/events"
	"unconnected/internal/config"
)

// Config is the producer's part of the environment. Fill it with [config.Load], which validates it.
type Config struct {
	config.NATS
	config.History
	API
	Polling

	operations []Operation
}

// API says which operations there are and where their reports are found.
type API struct {
	Server     string          `envconfig:"WOLKVOX_SERVER" example:"0011" desc:"the operation's server, four digits; required unless WOLKVOX_BASE_URL is set"`
	Token      config.Secret   `envconfig:"WOLKVOX_TOKEN" desc:"token of the API; required unless WOLKVOX_OPERATIONS is set"`
	Operation  string          `envconfig:"WOLKVOX_OPERATION" default:"default" desc:"name of the operation, [a-z0-9][a-z0-9_-]{0,62}"`
	Operations config.List     `envconfig:"WOLKVOX_OPERATIONS" desc:"several operations in one process: a list of names; then WOLKVOX_<NAME>_SERVER, _TOKEN, _TIMEZONE, _BASE_URL for each (- becomes _, upper case)"`
	Timezone   config.Location `envconfig:"WOLKVOX_TIMEZONE" default:"America/Bogota" desc:"zone of the operation's clock, in which the API is asked"`
	BaseURL    string          `envconfig:"WOLKVOX_BASE_URL" unset:"https://wv{server}.wolkvox.com/api/v2" example:"https://wv0011.wolkvox.com/api/v2" desc:"address above reports_manager.php and information.php; {server} in it stands for the four digits"`
	Timeout    config.Duration `envconfig:"WOLKVOX_TIMEOUT" default:"75s" desc:"time limit of one request"`
}

// Polling says how the windows are asked for.
type Polling struct {
	Window      config.Duration `envconfig:"POLL_WINDOW" default:"5m" desc:"length of a window: whole seconds, 1s to 1h, dividing one hour"`
	Settle      config.Duration `envconfig:"POLL_SETTLE" default:"90s" desc:"a window is asked for no sooner than its end plus this, since late calls are recorded late"`
	Start       config.Moment   `envconfig:"POLL_START" default:"now" desc:"where a new history begins: RFC 3339, a date, now, or relative such as -24h; ignored once history exists"`
	Reconcile   config.Duration `envconfig:"POLL_RECONCILE" default:"1h" desc:"closed periods of this length are asked for again and compared; 0: off"`
	GiveUp      config.Duration `envconfig:"POLL_GIVE_UP" default:"1h" desc:"how long one window may keep answering garbage before it is declared missed"`
	DailyBudget int             `envconfig:"POLL_DAILY_BUDGET" default:"0" desc:"requests a day; 0: ask token_info"`
}

// Operation is one operation to poll, with all fallbacks resolved.
type Operation struct {
	Name    string
	Server  string // four digits; empty when only a base URL is configured
	Token   config.Secret
	Zone    *time.Location
	BaseURL string
}

// Source is the ce-source of the operation's events.
func (o *Operation) Source() string {
	u, err := url.Parse(o.BaseURL)
	if err != nil {
		return "//unknown/cdr_6" // unreachable: the address was checked when it was loaded
	}
	return "//" + u.Host + "/cdr_6"
}

// TheOperations are the operations that the validated configuration names.
func (c *Config) TheOperations() []Operation { return c.operations }

// UseOperation replaces whatever operations the environment names by one.
func (c *Config) UseOperation(o Operation) { c.operations = []Operation{o} }

// one is the part of the environment that is given for each of several operations.
type one struct {
	Server   string          `envconfig:"SERVER" example:"0011" desc:"the operation's server, four digits"`
	Token    config.Secret   `envconfig:"TOKEN" desc:"token of the operation"`
	Timezone config.Location `envconfig:"TIMEZONE" example:"America/Bogota" desc:"zone of the operation's clock"`
	BaseURL  string          `envconfig:"BASE_URL" example:"https://wv0011.wolkvox.com/api/v2" desc:"address of its API"`
}

// Validate checks the settings against each other and resolves the operations.
func (c *Config) Validate() []config.Problem {
	problems := c.Polling.check()
	if c.Timeout < config.Duration(time.Second) {
		problems = append(problems, config.Problemf("WOLKVOX_TIMEOUT", "%s is less than a second, for example 75s", c.Timeout))
	}
	operations, more := c.API.resolve()
	c.operations = operations
	return append(problems, more...)
}

func (p *Polling) check() []config.Problem {
	var problems []config.Problem
	window := time.Duration(p.Window)
	switch {
	case window < time.Second || window > time.Hour || window%time.Second != 0 || time.Hour%window != 0:
		problems = append(problems, config.Problemf("POLL_WINDOW",
			"%s is not whole seconds from 1s to 1h that divide one hour, for example 5m", p.Window))
	case p.Reconcile != 0 && (time.Duration(p.Reconcile)%window != 0 || time.Duration(p.Reconcile) > 24*time.Hour):
		problems = append(problems, config.Problemf("POLL_RECONCILE",
			"%s is not a multiple of POLL_WINDOW (%s) up to 24h, for example 1h, or 0 for off", p.Reconcile, p.Window))
	}
	if p.GiveUp <= 0 {
		problems = append(problems, config.Problemf("POLL_GIVE_UP", "%s is not a time to wait, for example 1h", p.GiveUp))
	}
	if p.DailyBudget < 0 {
		problems = append(problems, config.Problemf("POLL_DAILY_BUDGET", "%d is negative, for example 5000, or 0", p.DailyBudget))
	}
	return problems
}

// resolve gives every operation its settings, its own or the plain ones, and tells what is missing or contradictory.
func (a *API) resolve() ([]Operation, []config.Problem) {
	if len(a.Operations) == 0 {
		return a.resolveOne()
	}
	var problems []config.Problem
	var operations []Operation
	prefixes := make(map[string]string)
	for _, name := range a.Operations {
		prefix := config.OperationPrefix(name)
		if other, taken := prefixes[prefix]; taken {
			problems = append(problems, config.Problemf("WOLKVOX_OPERATIONS", "%q and %q share the variables %s…: rename one", other, name, prefix))
			continue
		}
		prefixes[prefix] = name
		operation, more := a.resolveNamed(name, prefix)
		operations, problems = append(operations, operation), append(problems, more...)
	}
	return operations, append(problems, sharedTokens(operations)...)
}

func (a *API) resolveOne() ([]Operation, []config.Problem) {
	var problems []config.Problem
	if !a.Token.IsSet() {
		problems = append(problems, config.Problemf("WOLKVOX_TOKEN", "is required (or WOLKVOX_TOKEN_FILE, or WOLKVOX_OPERATIONS)"))
	}
	problems = append(problems, checkName("WOLKVOX_OPERATION", a.Operation)...)
	operation := Operation{Name: a.Operation, Server: a.Server, Token: a.Token, Zone: a.Timezone.Zone(), BaseURL: a.BaseURL}
	problems = append(problems, operation.complete("WOLKVOX_")...)
	return []Operation{operation}, problems
}

func (a *API) resolveNamed(name, prefix string) (Operation, []config.Problem) {
	problems := checkName("WOLKVOX_OPERATIONS", name)
	var own one
	if err := config.Load(&own, config.Prefix(prefix)); err != nil {
		if more, ok := err.(config.Problems); ok {
			problems = append(problems, more...)
		}
	}
	aboutToken := func(p config.Problem) bool { return strings.HasPrefix(p.Name, prefix+"TOKEN") }
	if !own.Token.IsSet() && !slices.ContainsFunc(problems, aboutToken) {
		problems = append(problems, config.Problemf(prefix+"TOKEN", "is required (or %sTOKEN_FILE)", prefix))
	}
	operation := Operation{Name: name, Server: own.Server, Token: own.Token, Zone: own.Timezone.Zone(), BaseURL: own.BaseURL}
	if operation.Zone == nil {
		operation.Zone = a.Timezone.Zone()
	}
	operation.BaseURL = cmp.Or(operation.BaseURL, a.BaseURL)
	operation.Server = cmp.Or(operation.Server, a.Server)
	return operation, append(problems, operation.complete(prefix)...)
}

func checkName(variable, name string) []config.Problem {
	if events.ValidOperation(name) {
		return nil
	}
	return []config.Problem{config.Problemf(variable, "%q is not a name of [a-z0-9][a-z0-9_-]{0,62}, for example ventas", name)}
}

// serverField stands for the operation's server in a base URL.
const (
	serverField    = "{server}"
	defaultBaseURL = "https://wv" + serverField + ".wolkvox.com/api/v2"
)

// complete puts the server into the base URL, and checks both.
func (o *Operation) complete(prefix string) []config.Problem {
	var problems []config.Problem
	if o.Server != "" && !fourDigits(o.Server) {
		problems = append(problems, config.Problemf(prefix+"SERVER", "%q is not four digits, for example 0011", o.Server))
	}
	o.BaseURL = cmp.Or(o.BaseURL, defaultBaseURL)
	if o.Server == "" && strings.Contains(o.BaseURL, serverField) {
		problems = append(problems, config.Problemf(prefix+"SERVER", "is required: the four digits of the operation's server, for example 0011"))
	}
	o.BaseURL = strings.TrimRight(strings.ReplaceAll(o.BaseURL, serverField, o.Server), "/")
	if err := checkBaseURL(o.BaseURL); err != nil {
		problems = append(problems, config.Problemf(prefix+"BASE_URL", "%v, for example https://wv0011.wolkvox.com/api/v2", err))
	}
	return problems
}

// checkBaseURL refuses what is no address of a directory. What it refuses is not shown: it may hold a password.
func checkBaseURL(address string) error {
	if err := config.CheckURL(address, "http", "https"); err != nil {
		return err
	}
	if strings.ContainsAny(address, "{}?#") {
		return errors.New("holds more than host and path")
	}
	return nil
}

func fourDigits(s string) bool {
	return len(s) == 4 && strings.Trim(s, "0123456789") == ""
}

// sharedTokens refuses one token on one server under two names: both would count the same calls.
func sharedTokens(operations []Operation) []config.Problem {
	var problems []config.Problem
	seen := make(map[string]string)
	for _, o := range operations {
		if !o.Token.IsSet() {
			continue
		}
		key := fmt.Sprintf("%s\n%s", o.BaseURL, o.Token.Value())
		if other, ok := seen[key]; ok {
			problems = append(problems, config.Problemf(config.OperationPrefix(o.Name)+"TOKEN",
				"is the token of operation %q on the same server: give one of the two another, or drop it", other))
		}
		seen[key] = o.Name
	}
	return problems
}
