package alerter_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets many tests run at once: they mostly wait, for Slack's answers and for the time that we give it.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "100"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
