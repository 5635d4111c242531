package alerter

import "time"

// Queued is for how many incidents and groups something may have to be done in Slack.
func (a *Alerter) Queued() (n int) {
	s := a.current.Load()
	if s == nil {
		return 0
	}
	s.notifier.mu.Lock()
	defer s.notifier.mu.Unlock()
	for _, q := range s.notifier.queues {
		n += len(q.pending)
	}
	return n
}

// SetAttempt changes the time limit of one request to Slack. Call it before Run.
func (a *Alerter) SetAttempt(d time.Duration) { a.attempt = d }

// SetPace changes the pause between two posts in a channel. Call it before Run.
func (a *Alerter) SetPace(d time.Duration) { a.pacer.Interval = d }

// SetBlindAfter changes for how long NATS must be away before people are told. Call it before Run.
func (a *Alerter) SetBlindAfter(d time.Duration) { a.blindAfter = d }

// Place is how many alerters are to judge before this one; -1 while that is not known.
func (a *Alerter) Place() int { return a.place() }

// OverdueAfter is Overdue with another time to live of the claim.
var OverdueAfter = overdue
