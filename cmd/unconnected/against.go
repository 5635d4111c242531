package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"unconnected/producer"
	"unconnected/producer/oplog"
)

// compared is how a sample of the windows compares with what the API says now.
type compared struct {
	Windows   int `json:"windows"` // that were asked for and can be compared
	Different int `json:"different"`
}

// compareWithAPI asks the API for so many windows of the chosen operations, chosen at random from the span, in turn with
// whoever polls, and notes those that differ as faults.
func (c *verifyCommand) compareWithAPI(t *terminal, nc *nats.Conn, v *verdict) error {
	span := c.query()
	backfill, err := producer.NewBackfill(t.ctx, c.settings, producer.BackfillOptions{
		Log: t.log, Conn: nc, From: span.From, To: span.To, Recheck: true,
	})
	if err != nil {
		return err
	}
	defer backfill.Close()
	v.Compared = &compared{}
	bar := newProgress(t, "compared", "windows", int64(c.AgainstAPI))
	defer bar.finish()
	for i, o := range c.operations {
		filling, err := backfill.Plan(t.ctx, o)
		if err != nil {
			return err
		}
		filling.Sample(share(c.AgainstAPI, i, len(c.operations)), rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
		follower := &filler{t: t, result: &filled{Operation: o.Name}, bar: bar}
		differences, err := filling.Compare(t.ctx, follower)
		if err != nil {
			return fmt.Errorf("operation %s: %w", o.Name, err)
		}
		v.Compared.Windows += follower.result.Unchanged + follower.result.Revised
		v.Compared.Different += len(differences)
		for _, d := range differences {
			v.Faults = append(v.Faults, oplog.Fault{Operation: o.Name, Window: d.Window, Kind: kindAPI, Text: difference(d)})
		}
	}
	return nil
}

// share is the i-th of n nearly equal parts of a number.
func share(of, i, n int) int { return of*(i+1)/n - of*i/n }

// difference says which results differ.
func difference(d producer.Difference) string {
	all := maps.Clone(d.Log)
	maps.Copy(all, d.Now)
	var parts []string
	for _, result := range slices.Sorted(maps.Keys(all)) {
		if d.Log[result] != d.Now[result] {
			parts = append(parts, fmt.Sprintf("%s %d, now %d", result, d.Log[result], d.Now[result]))
		}
	}
	return strings.Join(parts, "; ")
}
