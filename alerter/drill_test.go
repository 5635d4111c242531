package alerter_test

import (
	"strings"
	"testing"
	"time"

	"unconnected/events"
)

// drillFrom is a drill that began so long ago, and fires.
func (w *world) drillFrom(ago time.Duration, labels map[string]string) events.Alert {
	w.t.Helper()
	at := time.Now().UTC().Add(-ago).Truncate(time.Second)
	value, threshold := 0.44, 0.2
	a := events.Alert{
		Operation: events.DrillOperation, Rule: events.DrillRule, Severity: events.Critical, Status: events.Firing, StartsAt: at,
		Value: &value, Threshold: &threshold, Labels: labels, Incident: "drill/" + at.Format(time.RFC3339), Summary: "a drill",
		Cause:    events.Cause{Tick: at.Unix()},
		Observed: &events.Observed{Total: 1000, Counts: map[string]int64{events.Congestion: 440}},
	}
	w.storeAlert(a)
	return a
}

func (w *world) storeAlert(a events.Alert) {
	w.t.Helper()
	msg, err := events.EncodeAlert(&a)
	if err == nil {
		_, err = w.js.PublishMsg(w.t.Context(), msg)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestDrillIsLeftAlone: an alerter that takes over while a drill is under way tells it, and neither ends it for want of a rule
// nor lets it join what is real. One that was left behind long ago is ended.
func TestDrillIsLeftAlone(t *testing.T) {
	t.Parallel()
	marked := map[string]string{events.LabelDrill: "true"}
	w := newWorld(t)
	a := w.drillFrom(time.Minute, marked)
	p := w.start()
	w.play("default", "qc")
	p.judged(w)
	w.expectChannel("#noc", "root 🧪 drill/Drill/"+a.Cause.String()+"/firing", "root 🔴 default/Congestion/2/firing")
	p.stop()
	p = w.start() // takes over while it fires
	w.play("default", "q")
	w.expectAlerts(p, a.ID(), "default/Congestion/2/firing", "default/Congestion/3/resolved cleared")

	ended := a
	ends := time.Now().UTC().Truncate(time.Second)
	ended.Status, ended.EndsAt, ended.Reason, ended.Cause = events.Resolved, &ends, events.ReasonCleared, events.Cause{Tick: ends.Unix()}
	w.storeAlert(ended)
	eventually(t, "the end of the drill", func() (bool, string) {
		for _, m := range w.slack.Roots("#noc") {
			if strings.Contains(m.Text, "Resolved") {
				return true, ""
			}
		}
		return false, w.logs.String()
	})
}

func TestDrillLeftBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drillFrom(2*time.Hour, map[string]string{events.LabelDrill: "true"})
	p := w.start()
	w.play("default", "q")
	p.judged(w)
	eventually(t, "its end", func() (bool, string) {
		all := w.alerts()
		return len(all) == 2 && strings.HasSuffix(all[1], "/resolved rule_removed"), strings.Join(all, "\n")
	})
}

// TestDrillLeftBehindLater: so does the alerter that is at work when whoever conducts a drill dies. Nobody is told of it then.
func TestDrillLeftBehindLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start()
	w.play("default", "q")
	p.judged(w)
	w.drillFrom(2*time.Hour, map[string]string{events.LabelDrill: "true"})
	eventually(t, "its end", func() (bool, string) {
		all := w.alerts()
		return len(all) == 2 && strings.HasSuffix(all[1], "/resolved rule_removed"), strings.Join(all, "\n")
	})
	if roots := w.slack.Roots("#noc"); len(roots) != 0 {
		t.Errorf("people were told %+v", roots)
	}
}

// TestNoDrill: an alert of a rule that is gone is no drill, whatever it is called.
func TestNoDrill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drillFrom(time.Minute, nil)
	p := w.start()
	w.play("default", "q")
	p.judged(w)
	eventually(t, "its end", func() (bool, string) {
		all := w.alerts()
		return len(all) == 2 && strings.HasSuffix(all[1], "/resolved rule_removed"), strings.Join(all, "\n")
	})
}
