package doctor

import (
	"cmp"

	"unconnected/internal/diagnosis"
	"unconnected/internal/natsio"
)

// Stuck is the finding of a check that failed because NATS, which is there, does not do its work; false for any other error.
func Stuck(check string, err error) (diagnosis.Finding, bool) {
	what, next, is := natsio.Stuck(err)
	if !is {
		return diagnosis.Finding{}, false
	}
	return diagnosis.Fail(check, next, "%s", what), true
}

// judgeAllStuck is one finding for all streams and buckets, where none of them can be looked at for the same reason.
func judgeAllStuck(streams []stream, buckets []bucket) (finding diagnosis.Finding, is bool) {
	var errs []error
	for i := range streams {
		errs = append(errs, streams[i].err)
	}
	for i := range buckets {
		errs = append(errs, buckets[i].err)
	}
	for _, err := range errs {
		if finding, is = Stuck("all", err); !is {
			return diagnosis.Finding{}, false
		}
	}
	return finding, is
}

// judgeHealth takes what the server says of itself where its monitoring port can be seen. What it could not write is told there
// and in its log alone.
func judgeHealth(h *health) diagnosis.Finding {
	const check = "health"
	if h.Status == "ok" {
		return diagnosis.Ok(check, "the server says that it is well")
	}
	return diagnosis.Fail(check, "where there is no space left, free some; then restart the server: what it could not write it does not try again",
		"the server says of itself: %s", cmp.Or(h.Error, h.Status))
}
