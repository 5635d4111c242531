package result

import "testing"

func TestName(t *testing.T) {
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
			if got := Name(spelling); got != want {
				t.Errorf("Name(%q) = %q, want %q", spelling, got, want)
			}
		}
	}
}

// FuzzName holds the name to its grammar: names are header, metric and rule material.
func FuzzName(f *testing.F) {
	f.Add("NO ANSWER")
	f.Add("İ404ﬀ")
	f.Fuzz(func(t *testing.T, reported string) {
		name := Name(reported)
		if name == "" || name[0] < 'a' || name[0] > 'z' || name[len(name)-1] == '_' {
			t.Errorf("Name(%q) = %q", reported, name)
		}
		if again := Name(name); again != name {
			t.Errorf("the name of %q is %q, whose name is %q", reported, name, again)
		}
	})
}

func TestCount(t *testing.T) {
	for reported, want := range map[string]int64{"0": 0, "41": 41, " 41\r\n": 41, "007": 7, "9223372036854775807": 1<<63 - 1} {
		if got, err := Count(reported); err != nil || got != want {
			t.Errorf("Count(%q) = %d, %v, want %d", reported, got, err, want)
		}
	}
	for _, reported := range []string{"", " ", "-1", "+1", "1,234", "41.0", "4.1e1", "0x1", "1_000", "9223372036854775808", "x"} {
		if got, err := Count(reported); err == nil {
			t.Errorf("Count(%q) = %d, want an error", reported, got)
		}
	}
}
