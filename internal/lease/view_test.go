package lease

import (
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	const at = 100 // our place in the queue
	me := claim{ID: "me", Priority: Correction}
	announced := claim{ID: "me", Priority: Correction, Since: at}
	other := claim{ID: "other", Priority: Live}
	waiting := func(p Priority, since uint64) claim { return claim{ID: "waiter", Priority: p, Since: since} }
	second := claim{ID: "another", Priority: Live, Since: 1}
	tests := map[string]struct {
		seen seen
		me   claim
		free time.Duration
		want action
		wait time.Duration
	}{
		"free":                          {seen{}, me, 0, take, 0},
		"ours already":                  {seen{holder: me}, me, 0, take, 0},
		"ours already, and others wait": {seen{holder: me, queue: []claim{second}}, me, 0, take, 0},
		"another's":                     {seen{holder: other}, me, 0, queue, 0},
		"another's, and we have said that we wait":         {seen{holder: other}, announced, 0, wait, poll},
		"another's of less importance":                     {seen{holder: waiting(Backfill, 0)}, announced, 0, wait, poll},
		"free, and we are the only one who waits":          {seen{queue: []claim{announced}}, announced, 0, take, 0},
		"free, and somebody less important waits":          {seen{queue: []claim{waiting(Backfill, 1)}}, me, 0, take, 0},
		"free, and somebody more important waits":          {seen{queue: []claim{waiting(Live, at+1)}}, announced, 0, wait, grace},
		"free, and an equal waits":                         {seen{queue: []claim{waiting(Correction, at+1)}}, me, 0, queue, 0},
		"free, and an equal came before us":                {seen{queue: []claim{waiting(Correction, at-1)}}, announced, 0, wait, grace},
		"free, and an equal came after us":                 {seen{queue: []claim{waiting(Correction, at+1)}}, announced, 0, take, 0},
		"free, and one before us has had some time":        {seen{queue: []claim{waiting(Live, 1)}}, announced, grace / 4, wait, grace * 3 / 4},
		"free, and one before us has had its time":         {seen{queue: []claim{waiting(Live, 1)}}, announced, grace, take, 0},
		"free, and the second of two has its time":         {seen{queue: []claim{waiting(Live, 2), second}}, announced, grace, wait, grace},
		"free, and both of two have had their time":        {seen{queue: []claim{waiting(Live, 2), second}}, announced, 2 * grace, take, 0},
		"free for long, and we have not said that we wait": {seen{queue: []claim{waiting(Live, 2)}}, me, 2 * grace, take, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, wait := decide(test.seen, test.me, test.free)
			if got != test.want || wait != test.wait {
				t.Errorf("decide = %v, %v, want %v, %v", got, wait, test.want, test.wait)
			}
		})
	}
}
