package alerter

import (
	"time"

	"unconnected/alerter/evaluate"
)

// Judging is how the alerter judges windows with these settings, for whoever judges them again: a backtest, an
// explanation.
func (a *Alerts) Judging() (options evaluate.Options, inLanguage string) {
	return evaluate.Options{MaxAge: time.Duration(a.MaxAge), Zone: a.Timezone.Zone()}, Language(a.Language)
}
