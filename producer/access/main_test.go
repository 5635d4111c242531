package access_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets more tests run at a time than there are cores: they wait, for a lease or a reconnection, more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
