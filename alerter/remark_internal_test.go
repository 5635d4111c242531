package alerter

import (
	"errors"
	"strings"
	"testing"

	"unconnected/internal/daemon"
)

// TestHealth: people are told in their language what is not well, and see what of it is technical text.
func TestHealth(t *testing.T) {
	r := reporting{Report: daemon.Report{Ready: true, State: "ok"}}
	r.fail("retrying", away(errors.New("no `servers` available")))
	r.fail("retrying", technical("a stream is gone"))
	r.standBy = "standing by: alerter@b judges"
	r.note(said(r.standBy, "En espera"))
	r.note(said("reading the alerts", "Se leen las alertas"))
	r.note(because("channel #noc waits", "El canal #noc espera", "http_503"))
	r.note(away(errors.New("no `servers` available"))) // said already
	for language, want := range map[string]string{
		"en": "nothing is judged: no `servers` available|" +
			"a stream is gone|reading the alerts|channel #noc waits: http_503",
		"es": "Sin conexión con NATS no se evalúa nada: `no 'servers' available`|" +
			"Detalle técnico: `a stream is gone`|Se leen las alertas|El canal #noc espera: `http_503`",
	} {
		unwell, notes := r.health(language)
		if got := strings.Join(append(unwell, notes...), "|"); got != want || len(unwell) != 1 {
			t.Errorf("%s: %s\nwant %s", language, got, want)
		}
	}
	if r.Reason != "nothing is judged: no `servers` available" || len(r.Notes) != 4 {
		t.Errorf("/readyz says %+v", r.Report)
	}
	fine := reporting{Report: daemon.Report{Ready: true, State: "ok"}}
	if unwell, notes := fine.health("es"); unwell != nil || notes != nil {
		t.Errorf("all is well, and it says %v, %v", unwell, notes)
	}
}
