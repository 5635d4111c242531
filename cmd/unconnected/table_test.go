package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTable(t *testing.T) {
	table := table{indent: "  ", right: []bool{true}}
	table.add("7", "cobró", "a text that is far too long for what is left of a line, so that it goes on below itself, and once more below that")
	table.add("1234", "x", "short")
	var out bytes.Buffer
	if err := table.write(&out); err != nil {
		t.Fatal(err)
	}
	const want = "" +
		"     7  cobró  a text that is far too long for what is left of a line, so that it goes on below\n" +
		"               itself, and once more below that\n" +
		"  1234  x      short\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestWrapped(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                {""},
		"two  words":                      {"two words"},
		strings.Repeat("x", 30) + " y":    {strings.Repeat("x", 24), "xxxxxx y"},
		"eleven chars and thirteen more ": {"eleven chars and", "thirteen more"},
	} {
		if got := wrapped(text, narrowest); !slices.Equal(got, want) {
			t.Errorf("wrapped(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestFitted(t *testing.T) {
	for _, text := range []string{"", "four", "cobranza-bogotá-norte"} {
		got := fitted(text, 8)
		if utf8.RuneCountInString(got) > 8 || len(text) <= 8 && got != text {
			t.Errorf("fitted(%q) = %q", text, got)
		}
	}
}
