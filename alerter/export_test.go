package alerter

import "time"

// SetAttempt changes the time limit of one request to Slack. Call it before Run.
func (a *Alerter) SetAttempt(d time.Duration) { a.attempt = d }
