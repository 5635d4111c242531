// Package e2e has no code of its own, only tests: they run the programs as they are shipped, from the outside, against
// real parts. The programs are built once per test process and run as processes of their own, with real signals and
// pipes. NATS is a real server in the test process, which a test can stop and start again on the same port and files; the
// API is the simulator, which knows the truth; Slack is fakeslack, which keeps what people would see.
//
// A test reads as a story. A [world] holds the parts:
//
//	w := newWorld(t, congestion(-20*second, -10*second)) // NATS, API, Slack, and an incident that was a moment ago
//	producer := w.start("producer", nil)                 // the environment is the world's; a map changes single variables
//	alerter := w.start("alerter", nil)
//	w.awaitStory()                                       // the alert events of one incident, and no other
//	w.awaitToldInSlack()                                 // one message, one line for each later transition
//	producer.kill()                                      // SIGKILL; signal and exit are for gentler ends
//	alerter.stop()                                       // SIGTERM, and exit code 0 within seconds
//	w.requireTrueLog(w.log())                            // every window once, in order, and true
//
// Nothing sleeps: everything is awaited by asking again until a deadline, see eventually. Windows last a second, and the
// past that the simulator knows makes an incident of half a minute a matter of a moment.
//
// Whatever any process prints, and whatever it answers to /readyz and /metrics, is searched for the secrets of its
// environment when the test ends, in every test. Under the race detector the programs are built with it, too, and a race
// that it reports fails the test.
//
// # The storm
//
// TestStorm kills and restarts everything at random, with faults of the API and of Slack on top, and then wants the same
// truth as all other tests. It takes some seconds by default, and as long as one likes:
//
//	go test ./internal/e2e -run Storm -storm 5m -timeout 10m
//
// It logs the seed of its randomness; -seed repeats the order of events, as far as processes repeat anything.
//
// # A thousand operations
//
// TestThousand starts, kills and stops an alerter with many operations and logs what it takes. By default they are few. With a
// thousand, and all the history that an alerter remembers, it needs a quarter of an hour and five gigabytes of free disk, of
// which it fills 0.3, and fails when a number is above what it should be:
//
//	go test ./internal/e2e -run Thousand -operations 1000 -days 37 -steady 5m -v -timeout 1h
//
// What it takes of a processor does not depend on what else the machine does, how long it takes does.
package e2e
