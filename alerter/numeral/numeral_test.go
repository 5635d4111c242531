package numeral_test

import (
	"math"
	"testing"

	"unconnected/alerter/numeral"
)

func TestDecimal(t *testing.T) {
	cases := []struct {
		value    float64
		decimals int
		en, es   string
	}{
		{1073, 0, "1,073", "1.073"}, {999, 0, "999", "999"}, {1234567.5, 2, "1,234,567.5", "1.234.567,5"},
		{-1234, 0, "−1,234", "−1.234"}, {-0.001, 2, "0", "0"}, {0.126, 2, "0.13", "0,13"}, {100, 2, "100", "100"},
		{0.0000125, -1, "0.0000125", "0,0000125"}, {math.NaN(), 0, "–", "–"}, {math.Inf(1), 2, "–", "–"},
	}
	for _, c := range cases {
		if en, es := numeral.For("en").Decimal(c.value, c.decimals), numeral.For("es").Decimal(c.value, c.decimals); en != c.en || es != c.es {
			t.Errorf("%v is %q and %q, want %q and %q", c.value, en, es, c.en, c.es)
		}
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0.44361: "44%", 0.0771: "7.7%", 0.0996: "10%", 0: "0%", 1: "100%", 0.995: "100%"} {
		if got := numeral.For("fr").Percent(share); got != want {
			t.Errorf("the share %v is %q, want %q", share, got, want)
		}
	}
	if got := numeral.For("es").Percent(0.045); got != "4,5\u00a0%" {
		t.Errorf("in Spanish, the share 0.045 is %q", got)
	}
	if got := numeral.For("es").ExactPercent(0.1225); got != "12,25\u00a0%" {
		t.Errorf("a threshold of 0.1225 is %q", got)
	}
}
