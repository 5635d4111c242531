package wolkvox

import "testing"

// tokenReports is every recorded token report; nil is one that is of no use.
var tokenReports = map[string]*TokenInfo{
	"token-info":        {Description: "monitoring", Limit: 1000, UsedToday: 288, AllToday: 412, Available: 11588},
	"token-info-object": {Limit: Unknown, UsedToday: Unknown, AllToday: Unknown, Available: 7},

	"token-info-useless": nil,
}

func TestTokenReports(t *testing.T) {
	for name, want := range tokenReports {
		t.Run(name, func(t *testing.T) {
			got, failed := readTokenInfo(recorded(t, name))
			switch {
			case want == nil && (failed == nil || failed.Kind != KindGarbage):
				t.Errorf("got %+v and %v, want garbage", got, failed)
			case want != nil && failed != nil:
				t.Error(failed)
			case want != nil && got != *want:
				t.Errorf("got %+v, want %+v", got, *want)
			}
		})
	}
}

func TestTokenReportErrors(t *testing.T) {
	for name, want := range map[string]Kind{
		"quota": KindQuota, "wrong-token": KindRefused, "maintenance": KindMaintenance,
		"no-records": KindGarbage, "data-null": KindGarbage, "html-200": KindRetry,
	} {
		t.Run(name, func(t *testing.T) {
			_, failed := readTokenInfo(recorded(t, name))
			if failed == nil || failed.Kind != want {
				t.Errorf("got %v, want %v", failed, want)
			}
		})
	}
}
