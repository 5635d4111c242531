package wolkvox

import "testing"

func TestResultName(t *testing.T) {
	for want, spellings := range map[string][]string{
		Busy:        {"BUSY", "Busy", "ocupado", "OCUPADA"},
		Cancel:      {"CANCEL", "Cancelled", "canceled", "CANCELADA", "cancelado"},
		Chanunavail: {"CHANUNAVAIL", "Chanunavail", "Channel unavailable", "CANAL NO DISPONIBLE"},
		Congestion:  {"CONGESTION", "Congestión", "congestio\u0301n", " CONGESTIÓN\r\n"},
		DoNotCall:   {"Do not call", "DO-NOT-CALL", "DONOTCALL", "no llamar"},
		NoAnswer:    {"NO ANSWER", "NO-ANSWER", "NOANSWER", "no_answer", "unattended", "No contestada", "no contesta"},
		TCPA:        {"Tcpa", "TCPA"},

		// A result nobody has listed keeps its own name.
		"busy_here":       {"Busy here", "BUSY--HERE!"},
		"numero_invalido": {"Número inválido"},
		"nino":            {"Niño"},
		"r_404":           {"404", " 404 "},
		"r_4_04":          {"4.04"},
		Unnamed:           {"", "  ", "***", "忙"},
	} {
		for _, spelling := range spellings {
			if got := ResultName(spelling); got != want {
				t.Errorf("ResultName(%q) = %q, want %q", spelling, got, want)
			}
		}
	}
}

// FuzzResultName holds the name to its grammar: names are header, metric and rule material.
func FuzzResultName(f *testing.F) {
	f.Add("NO ANSWER")
	f.Add("İ404ﬀ")
	f.Fuzz(func(t *testing.T, reported string) {
		name := ResultName(reported)
		if name == "" || name[0] < 'a' || name[0] > 'z' || name[len(name)-1] == '_' {
			t.Errorf("ResultName(%q) = %q", reported, name)
		}
		if again := ResultName(name); again != name {
			t.Errorf("the name of %q is %q, whose name is %q", reported, name, again)
		}
	})
}
