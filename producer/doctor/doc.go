// Package doctor checks what the producer depends on: the API of an operation, its token, quota, clock and zone, and how the
// operation's log gets on.
//
// The API is asked through the token's lease and the quota's ledger, like by everybody else, so that a running producer is
// never disturbed: one request at a time, live windows first. A healthy operation costs six requests; one whose zone has to
// be found, some ten more.
//
// Facts are gathered in thin shells (Examine, ExamineLog) and judged by functions of values (judge…).
package doctor
