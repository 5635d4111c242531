// Package doctor checks NATS: the connection, the server, what this user may do, streams, buckets, consumers. It creates and
// changes nothing.
//
// Each check gathers facts in a thin shell and judges them in a function of values (judge…), whose table of cases is its
// specification.
package doctor
