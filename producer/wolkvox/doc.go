// Package wolkvox asks the Wolkvox API one question at a time: how many calls
// did not connect in a span of time, by result (report cdr_6).
//
// A Client is made once and asked for half-open spans of instants:
//
//	client := wolkvox.New(wolkvox.Options{
//		BaseURL:  "https://wv0011.wolkvox.com/api/v2",
//		Token:    func() string { return os.Getenv("WOLKVOX_TOKEN") },
//		Location: bogota,
//	})
//	answer, err := client.Report(ctx, from, from.Add(5*time.Minute))
//
// Every request ends in exactly one of three ways:
//
//   - answer.Counts holds the calls by result, named as in [ResultName];
//   - answer.Empty is true: the API said that there were none (nights, Sundays);
//   - err is an [*Error], classified once: its [Kind] says what to do next.
//
// # What is never guessed
//
// A zero that is not true is worse than no number, because nobody would look
// again. So only the API's own words for "no records" (its 404 with a JSON
// body, or an answer without rows) count as zero calls. A proxy's 404 page, an
// answer cut short, an error hidden in an answer with status 200, rows without
// the expected fields: all of these are errors.
//
// # What this package leaves to its caller
//
// It does not retry, wait, or keep requests apart: one call of Report is one
// question to the API, which allows one at a time per token. (Like any Go
// program, it may put that question a second time when a connection kept alive
// turns out to have been closed by the other side.) After an error with Timeout
// set the server may still be at work on the request: rest before sending the
// next.
//
// The token is sent in a header and asked for at each request, so that a
// rotated one is seen. No error contains it, not even when the other side
// repeats it in an answer.
package wolkvox
