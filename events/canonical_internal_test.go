package events

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

const canonicalData = `{"operation":"default","server":"0011","timezone":"America/Bogota",` +
	`"window":{"start":"2026-11-22T15:00:00Z","end":"2026-11-22T15:05:00Z"},"revision":0,"total":185,` +
	`"counts":{"busy":20,"cancel":3,"chanunavail":1,"congestion":41,"do_not_call":0,"no_answer":120,"tcpa":0},` +
	`"reported":[{"result":"CONGESTION","count":"41"},{"result":"BUSY","count":"20"}],"polled_at":"2026-11-22T15:06:30.120Z"}`

func TestCanonicalIsOnlyTheOwnForm(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		want     bool
	}{
		"as it is written":           {"", "", true},
		"without a server":           {`"server":"0011",`, "", true},
		"without rows":               {`[{"result":"CONGESTION","count":"41"},{"result":"BUSY","count":"20"}]`, "[]", true},
		"ambiguous":                  {`,"polled_at"`, `,"ambiguous":true,"polled_at"`, true},
		"another result":             {`"tcpa":0`, `"tcpa":0,"voicemail":7`, true},
		"a blank":                    {`,"total"`, `, "total"`, false},
		"a leading zero":             {`"busy":20`, `"busy":020`, false},
		"a negative number":          {`"busy":20`, `"busy":-20`, false},
		"a long number":              {`"busy":20`, `"busy":1234567890123456789`, false},
		"an escape":                  {"CONGESTION", `CONG\u0045STION`, false},
		"another alphabet":           {"CONGESTION", "CONGESTIÓN", false},
		"a control character":        {"CONGESTION", "CONG\nESTION", false},
		"a result twice":             {`"tcpa":0`, `"tcpa":0,"tcpa":0`, false},
		"results in another order":   {`"busy":20,"cancel":3`, `"cancel":3,"busy":20`, false},
		"a documented one missing":   {`,"tcpa":0`, "", false},
		"a field more":               {`,"polled_at"`, `,"extra":1,"polled_at"`, false},
		"a missed marker":            {`,"polled_at"`, `,"missed":{"reason":"x","attempts":1},"polled_at"`, false},
		"something behind":           {`.120Z"}`, `.120Z"} `, false},
		"a year that nobody writes":  {"2026-11-22T15:00", "0000-11-22T15:00", false},
		"a zone":                     {"15:05:00Z", "10:05:00-05:00", false},
		"a time that does not exist": {"15:05:00Z", "25:05:00Z", false},
	} {
		t.Run(name, func(t *testing.T) {
			var d Decoder
			data := strings.Replace(canonicalData, c.old, c.new, 1)
			if _, ok := d.canonical([]byte(data)); ok != c.want {
				t.Errorf("canonical is %v for %s", ok, data)
			}
		})
	}
}

// FuzzCanonical: whatever the short way accepts, the long way accepts, too, and reads the same.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(canonicalData))
	f.Add([]byte(strings.Replace(canonicalData, `"tcpa":0`, `"tcpa":0,"voicemail":7`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d Decoder
		short, ok := d.canonical(data)
		if !ok {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("no JSON: %q", data)
		}
		long, err := d.unmarshal(data)
		if err != nil || !reflect.DeepEqual(short, long) {
			t.Fatalf("the long way: %v\n%+v\n%+v", err, short, long)
		}
	})
}
