package doctor

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"unconnected/internal/diagnosis"
	natsdoctor "unconnected/internal/natsio/doctor"
	"unconnected/producer/access"
	"unconnected/producer/wolkvox"
)

// judgeFailure says what it means that a request was not answered. Check is what the request was for.
func judgeFailure(check string, err error) diagnosis.Finding {
	var (
		failure *wolkvox.Error
		turn    *turnError
		budget  *access.NoBudgetError
	)
	switch {
	case errors.Is(err, errLate):
		return diagnosis.Skip(check, "run it again when the API is faster", "not finished: %v", err)
	case errors.As(err, &turn):
		return diagnosis.Warn("token", "nothing, if that is the producer at work, which goes first: see its state above; otherwise run it again later", "%v", turn)
	case errors.As(err, &budget):
		return diagnosis.Warn("quota", "run it again then; live windows are polled all the same, unless the API said that the quota is spent",
			"the day's requests that may be used for checks are spent, until %s", budget.Until.Format(time.RFC3339))
	case errors.As(err, &failure):
		return judgeAnswer(check, failure)
	}
	if f, is := natsdoctor.Stuck(check, err); is {
		f.Detail = "not asked: " + f.Detail
		return f
	}
	return diagnosis.Fail(check, "look at the lines about NATS", "not asked: %v", err)
}

func judgeAnswer(check string, e *wolkvox.Error) diagnosis.Finding {
	switch e.Kind {
	case wolkvox.KindQuota:
		return diagnosis.Warn("quota", e.Hint, "spent: %v", e)
	case wolkvox.KindTokenBusy:
		return diagnosis.Warn("token", e.Hint, "%v", e)
	case wolkvox.KindMaintenance:
		return diagnosis.Warn("api", "wait: it is switched off for backups and maintenance, and polling goes on by itself", "%v", e)
	case wolkvox.KindGarbage:
		return diagnosis.Warn(check, "report it: the answer is not what the API documents", "%v", e)
	case wolkvox.KindRefused:
		if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
			return diagnosis.Fail("token", e.Hint, "%v", e)
		}
		return diagnosis.Fail("api", e.Hint, "%v", e)
	}
	return diagnosis.Fail("api", e.Hint, "%v", e)
}

// slow is how long an answer may take before it is worth a word: many windows are caught up one after another.
const slow = 10 * time.Second

func judgeReached(host string, took time.Duration) diagnosis.Finding {
	took = took.Round(time.Millisecond)
	if took > slow {
		return diagnosis.Warn("api", "run it again later; if it stays so, ask Wolkvox, or look at the network and proxies in between", "%s answers, but takes %s", host, took)
	}
	return diagnosis.Ok("api", "%s answers, in %s", host, took)
}

// hopeless tells whether other requests would fail alike. The token report alone may be unknown to a server.
func hopeless(err error) bool {
	var failure *wolkvox.Error
	if !errors.As(err, &failure) {
		return true
	}
	return failure.Kind != wolkvox.KindGarbage && failure.Status != http.StatusBadRequest
}

// judgeQuota takes the API's report, and how many requests live windows and corrections need in a whole day and until it ends.
func judgeQuota(info wolkvox.TokenInfo, day, rest int64) diagnosis.Finding {
	const check = "quota"
	left := fmt.Sprintf("%d requests are left today", info.Available)
	total := info.Available
	if info.AllToday >= 0 {
		total += info.AllToday
		left = fmt.Sprintf("%d of %d requests are left today", info.Available, total)
	}
	switch {
	case info.AllToday >= 0 && total < day:
		return diagnosis.Warn(check, "a longer POLL_WINDOW, or more licences", "%s, but a whole day needs %d", left, day)
	case info.Available < rest:
		return diagnosis.Warn(check, "a longer POLL_WINDOW, or fewer other users of the quota: all tokens of the operation share it",
			"%s, but the rest of the day needs %d", left, rest)
	}
	return diagnosis.Ok(check, "%s; polling needs %d a day", left, day)
}

// judgeClock takes by how much this host's clock is ahead of the API's.
func judgeClock(ahead time.Duration, known bool, tolerance time.Duration) diagnosis.Finding {
	const check = "clock"
	switch {
	case !known:
		return diagnosis.Skip(check, "", "the API's answers do not tell what time it is there")
	case ahead.Abs() <= tolerance:
		return diagnosis.Ok(check, "this host's and the API's agree, within the %s that POLL_SETTLE leaves", diagnosis.Lasting(tolerance))
	}
	way := "ahead of"
	if ahead < 0 {
		way = "behind"
	}
	return diagnosis.Warn(check, "synchronise this host's clock (NTP)", "this host's clock is %s %s the API's; POLL_SETTLE leaves %s",
		diagnosis.Lasting(ahead), way, diagnosis.Lasting(tolerance))
}

// sums are the answers about an hour and its halves.
type sums struct{ whole, first, second wolkvox.Answer }

// add up tells whether the halves count each call of the hour once.
func (s *sums) addUp() bool {
	both := maps.Clone(s.first.Counts)
	for result, n := range s.second.Counts {
		both[result] += n
	}
	positive := func(counts map[string]int64) map[string]int64 {
		counts = maps.Clone(counts)
		maps.DeleteFunc(counts, func(_ string, n int64) bool { return n == 0 })
		return counts
	}
	return maps.Equal(positive(both), positive(s.whole.Counts))
}

// judgeWindows tells whether windows that meet count each call once: the API takes both ends of a range as inside.
func judgeWindows(s *sums, hour span) diagnosis.Finding {
	const check = "windows"
	when := hour.from.Format("2006-01-02 15:04")
	switch {
	case s.whole.Total == 0:
		return diagnosis.Skip(check, "", "not checked: no calls in the hour from %s, a week ago", when)
	case s.addUp():
		return diagnosis.Ok(check, "both halves of an hour add up to it: %d calls from %s", s.whole.Total, when)
	}
	return diagnosis.Fail(check, "report it: windows would count calls twice, or not at all",
		"the halves of the hour from %s have %d and %d calls, the whole has %d", when, s.first.Total, s.second.Total, s.whole.Total)
}
