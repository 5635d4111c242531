package rule

import (
	"fmt"
	"maps"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"unconnected/internal/spelling"
)

// Document is a YAML file beside the rules, such as one of tests of them, read as strictly as the rules themselves:
// whatever its methods find wrong they note with its line, and all of it is told at once. A Document must not be used
// by two goroutines at a time.
type Document struct {
	reader *reader
	root   ast.Node
}

// Node is a place in a [Document].
type Node = ast.Node

// ParseDocument takes the text of a YAML file apart; file is what problems call it.
func ParseDocument(file string, data []byte) *Document {
	r := &reader{file: file, anchors: map[string]ast.Node{}}
	d := &Document{reader: r, root: r.document(data)}
	if d.root == nil && len(r.problems) == 0 {
		r.problem(1, 1, "the file is empty")
	}
	return d
}

// Root is the whole of the file; nil when it could not be taken apart.
func (d *Document) Root() Node { return d.root }

// Err is everything that was found wrong, as [Problems] in the order of the file, or nil.
func (d *Document) Err() error { return sorted(d.reader.problems).err() }

// Fail notes what is wrong at a node.
func (d *Document) Fail(n Node, format string, args ...any) {
	d.reader.fail(n, "%s", fmt.Sprintf(format, args...))
}

// Line is where a node begins, from 1.
func (d *Document) Line(n Node) int { return max(position(n).Line, 1) }

// Fields reads a node that must be a mapping of known keys: it calls keys[key] with each value. what is the mapping's
// name in problems.
func (d *Document) Fields(n Node, what string, keys map[string]func(Node)) {
	d.Entries(n, what, func(key string, at, value Node) {
		read, known := keys[key]
		if !known {
			d.Fail(at, "unknown key %q%s", key, spelling.DidYouMean(key, slices.Sorted(maps.Keys(keys))))
			return
		}
		read(value)
	})
}

// Entries reads a node that must be a mapping of any keys, in the order of the file. It calls read with each key, its
// place, and its value.
func (d *Document) Entries(n Node, what string, read func(key string, at, value Node)) {
	fields, _ := d.reader.mapping(n, what)
	for _, f := range fields {
		read(f.key, f.at, f.value)
	}
}

// List reads a node that must be a list.
func (d *Document) List(n Node, what string) []Node {
	items, _ := d.reader.list(n, what)
	return items
}

// Text reads a node that must be a text or another scalar, taken as it is written.
func (d *Document) Text(n Node, what string) (string, bool) { return d.reader.text(n, what) }

// IsMapping tells whether a node is a mapping.
func (d *Document) IsMapping(n Node) bool {
	_, ok := d.reader.resolve(n).(ast.MapNode)
	return ok
}

// IsList tells whether a node is a list.
func (d *Document) IsList(n Node) bool {
	_, ok := d.reader.resolve(n).(*ast.SequenceNode)
	return ok
}

// Misspelt is the documented result that a name which is not one of them most likely means, or "".
func Misspelt(result string) string {
	if slices.Contains(documented[:], result) {
		return ""
	}
	return spelling.Nearest(result, documented[:], 2)
}
