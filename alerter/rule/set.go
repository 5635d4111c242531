package rule

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// Set is the rules that are in force together. It never changes; its methods may be called concurrently. The zero Set
// has no rules.
type Set struct {
	Rules    []*Rule  // the built-in ones first, then in the order of the files
	Holidays []string // local dates, 2006-01-02, in order, each once

	hash  string
	dates map[int]bool // Holidays, as Local writes days
}

// Find is the rule of a name, or nil.
func (s *Set) Find(name string) *Rule {
	for _, r := range s.Rules {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// Hash identifies what the rules say, whatever file, order, layout or comments they were written with: the SHA-256 of
// their values, in hexadecimal.
func (s *Set) Hash() string { return s.hash }

// newSet completes a set: everything that its rules share.
func newSet(rules []*Rule, holidays []string) *Set {
	slices.Sort(holidays)
	s := &Set{Rules: rules, Holidays: slices.Compact(holidays)}
	dates := make(map[int]bool, len(s.Holidays))
	for _, holiday := range s.Holidays {
		date, err := time.Parse(time.DateOnly, holiday)
		if err == nil { // loading has parsed it before
			dates[dateOf(date)] = true
		}
	}
	s.dates = dates
	for _, r := range rules {
		r.holidays = dates
	}
	s.hash = hashOf(s)
	return s
}

func hashOf(s *Set) string {
	byName := slices.SortedFunc(slices.Values(s.Rules), func(a, b *Rule) int { return cmp.Compare(a.Name, b.Name) })
	text, err := json.Marshal(struct {
		Rules    []*Rule
		Holidays []string
	}{byName, s.Holidays})
	if err != nil {
		panic(err) // strings and finite numbers can be marshalled
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// builtinFile is what problems and Rule.File call the embedded pack.
const builtinFile = "builtin"

//go:embed builtin.yaml
var builtinYAML []byte

// BuiltinYAML is the source of the built-in rules, comments included: an example to start from.
func BuiltinYAML() string { return string(builtinYAML) }

// Builtin is the pack of rules that is used when there is no rules file, and that `extend: builtin` adds to.
func Builtin() *Set { return builtin().set }

// builtinRule is the built-in rule of a name, also one that the pack has disabled; nil when there is none.
func builtinRule(name string) *Rule { return builtin().all[name] }

// pack is the built-in rules: those in force, and all of them by name.
type pack struct {
	set *Set
	all map[string]*Rule
}

// builtin loads the pack once. It is set here because loading looks whether a rule adjusts a built-in one: to the compiler,
// which does not know that the pack itself does not, a circle.
var builtin func() pack

func init() { builtin = sync.OnceValue(loadPack) }

func loadPack() pack {
	var l loader
	l.read(builtinFile, builtinYAML)
	set, err := l.set(builtinFile)
	if err != nil {
		panic(err) // a test loads the pack
	}
	p := pack{set, make(map[string]*Rule)}
	for _, d := range l.drafts {
		p.all[d.rule.Name] = d.rule
	}
	return p
}
