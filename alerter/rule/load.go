package rule

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"unconnected/internal/spelling"
)

// Load reads a rules file, or all *.yaml and *.yml files of a directory, in the order of their names and as one
// namespace. It does not look into directories below. The error is of type [Problems] and tells everything that is
// wrong.
func Load(path string) (*Set, error) {
	files, err := rulesFiles(path)
	if err != nil {
		return nil, Problems{{File: path, Text: reason(err)}}
	}
	var l loader
	for _, file := range files {
		data, err := ReadFile(file)
		if err != nil {
			l.problems = append(l.problems, Problem{File: file, Text: reason(err)})
			continue
		}
		l.read(file, data)
	}
	if len(files) == 0 {
		l.problems = append(l.problems, Problem{File: path, Text: "the directory has no *.yaml or *.yml file"})
	}
	return l.set(path)
}

// Parse reads the text of one rules file; file is what errors call it. The error is of type [Problems] and tells
// everything that is wrong.
func Parse(file string, data []byte) (*Set, error) {
	var l loader
	l.read(file, data)
	return l.set(file)
}

func rulesFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		if ext := filepath.Ext(entry.Name()); !entry.IsDir() && (ext == ".yaml" || ext == ".yml") {
			files = append(files, filepath.Join(path, entry.Name()))
		}
	}
	return files, nil
}

// fileMost bounds a file of rules or of their tests, in bytes. The built-in rules have thirteen thousand.
const fileMost = 1 << 20

// ReadFile reads a file of rules, or of tests of rules, which may have a mebibyte.
func ReadFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, fileMost+1))
	if err == nil && len(data) > fileMost {
		err = errors.New("the file is larger than 1 MiB")
	}
	return data, err
}

// reason is why a file cannot be read, without its name, which the problem has.
func reason(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

// loader gathers what several files say.
type loader struct {
	readers  []*reader
	drafts   []*draft
	repeated []*draft // with a name that another has: looked through, so that all problems are told at once
	holidays []string
	extend   bool
	problems Problems // with files that cannot be read, and with the whole
}

// read takes one file in.
func (l *loader) read(file string, data []byte) {
	r := &reader{file: file, anchors: map[string]ast.Node{}}
	l.readers = append(l.readers, r)
	if doc := r.document(data); doc != nil {
		l.top(r, doc)
	}
}

// top reads the keys of a file.
func (l *loader) top(r *reader, doc ast.Node) {
	fields, _ := r.mapping(doc, "a rules file")
	for _, f := range fields {
		switch f.key {
		case "extend":
			l.readExtend(r, f.value)
		case "holidays":
			l.readHolidays(r, f.value)
		case "rules":
			l.readRules(r, f.value)
		default:
			r.fail(f.at, "unknown key %q%s", f.key, spelling.DidYouMean(f.key, []string{"extend", "holidays", "rules"}))
		}
	}
}

func (l *loader) readExtend(r *reader, n ast.Node) {
	text, ok := r.text(n, "extend")
	if ok && text != "builtin" {
		r.fail(n, "extend can only be builtin, not %q", text)
	}
	l.extend = true
}

func (l *loader) readHolidays(r *reader, n ast.Node) {
	items, _ := r.list(n, "holidays")
	for _, item := range items {
		text, ok := r.text(item, "a holiday")
		if !ok {
			continue
		}
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			r.fail(item, "%q is no date; write 2026-12-08", text)
			continue
		}
		l.holidays = append(l.holidays, text)
	}
}

func (l *loader) readRules(r *reader, n ast.Node) {
	items, _ := r.list(n, "rules")
	for _, item := range items {
		d := r.entry(item)
		if d == nil {
			continue
		}
		if twin := l.find(d.rule.Name); twin != nil {
			r.fail(d.nodes["alert"], "rule %s exists already: %s:%d", d.rule.Name, twin.rule.File, twin.rule.Line)
			l.repeated = append(l.repeated, d)
			continue
		}
		l.drafts = append(l.drafts, d)
	}
}

func (l *loader) find(name string) *draft {
	at := slices.IndexFunc(l.drafts, func(d *draft) bool { return d.rule.Name == name })
	if at < 0 {
		return nil
	}
	return l.drafts[at]
}

// set makes the set of everything read. path is what a problem with the whole is told about.
func (l *loader) set(path string) (*Set, error) {
	l.build()
	if len(l.problems) == 0 && len(l.drafts) == 0 && !l.extend {
		l.problems = append(l.problems, Problem{File: path, Text: "there are no rules: give `rules`, or `extend: builtin`"})
	}
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	var rules []*Rule
	if l.extend {
		for _, r := range Builtin().Rules {
			if l.find(r.Name) == nil {
				twin := *r // holidays are the set's
				rules = append(rules, &twin)
			}
		}
	}
	return newSet(append(rules, l.own()...), l.holidays), nil
}

// build compiles the drafts and gathers all problems, file by file. It waits until all files are read: whether a rule
// adjusts a built-in one depends on `extend`, which any of them may have.
func (l *loader) build() {
	for _, d := range slices.Concat(l.drafts, l.repeated) {
		if l.extend && d.nodes["expr"] == nil && !d.disabled {
			if base := builtinRule(d.rule.Name); base != nil {
				d.adopt(base)
			}
		}
		d.refused = len(d.problems)
		d.build()
	}
	for _, r := range l.readers {
		l.problems = append(l.problems, sorted(r.problems)...)
	}
}

// own are the rules of the files that are not disabled.
func (l *loader) own() (rules []*Rule) {
	for _, d := range l.drafts {
		if !d.disabled {
			rules = append(rules, d.rule)
		}
	}
	return rules
}
