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
// question to the API, which allows one at a time per token, and counts each.
// It is put on the wire once (and once more for each redirect within the host):
// when a connection kept alive breaks before an answer, net/http by itself would
// repeat a GET; here that is an error, since the server may be at work on it. A
// connection that the server closed while nobody used it costs nothing but a new
// one. After an error with Timeout set the server may still be at work on the
// request: rest before sending the next.
//
// # The network
//
// A request ends within Options.Timeout, however slowly an answer drips, and an
// answer within Options.MaxBody; either way the connection is given up. The
// token goes to the host, port and scheme of the base URL and nowhere else (from
// http to https on the usual ports is allowed): other redirects are refused.
// Proxies of the environment are used. Several clients in a process share
// connections and memory by one [NewTransport].
//
// The token is sent in a header and asked for at each request, so that a
// rotated one is seen. No error contains it, not even when the other side
// repeats it in an answer.
package wolkvox
