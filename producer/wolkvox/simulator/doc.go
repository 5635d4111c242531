// Package simulator is the Wolkvox API as an http.Handler: the reports cdr_6
// and token_info with their limits, error answers and quirks, over calls that
// exist for any time one asks about.
//
// The zero options are a busy operation in Bogotá:
//
//	api := simulator.New(simulator.Options{})
//	http.ListenAndServe("127.0.0.1:8090", api)
//
// A browser pointed at it finds a page with a curl command to try. A test
// points a client at an httptest.Server with it, and then has three things to
// hold the client against:
//
//   - Truth says how many calls there really were, by result, in any span of instants.
//   - Ledger says what was asked, when, and how it ended; MaxConcurrent, whether
//     requests ever overlapped.
//   - Fail and FailAll make requests go wrong in every way seen in the wild.
//
// One Simulator is one operation, with its tokens and its quota. Many on one
// address are a mux: the scripts are found below any path.
//
//	mux.Handle("/ventas/", ventas)     // base URL http://…/ventas/api/v2
//	mux.Handle("/cobranza/", cobranza) // base URL http://…/cobranza/api/v2
//
// # Where the calls come from
//
// The number of calls of a result in a second is a function of the seed, the
// result and the second: volumes follow the [Profile] in local time, shares and
// volumes drift, numbers scatter like real ones (Poisson). Nothing is stored,
// so any span can be summed, two simulators with equal options tell the same
// story, and spans that are cut differently add up to the same calls. An
// [Incident] shifts the shares while it lasts; planted into the past it is a
// correction after the fact.
//
// Calls in the future of Options.Clock do not exist yet, and with Options.Late
// some appear only a while after they began.
//
// # Local time
//
// Requests carry local wall-clock times, as in the real API. When clocks go
// back, the hour that repeats stands for both of its passes, as far as they
// have happened; when they go forward, the hour that is skipped has no calls.
package simulator
