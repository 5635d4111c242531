package rule

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// reader takes one YAML file apart, noting what is wrong with it. Its methods report a node of the wrong type themselves
// and return ok false.
type reader struct {
	file     string
	lines    [][]rune
	anchors  map[string]ast.Node
	problems Problems
}

// field is one key of a mapping and its value.
type field struct {
	key   string
	at    ast.Node // the key
	value ast.Node
}

// lineEnds makes one of the three ends of a line that YAML knows, so that lines are counted in one way.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// document parses the file's only document. It is nil when there is none, or it cannot be parsed.
func (r *reader) document(data []byte) ast.Node {
	text := lineEnds.Replace(strings.TrimPrefix(string(data), "\ufeff"))
	for line := range strings.SplitSeq(text, "\n") {
		r.lines = append(r.lines, []rune(line))
		if !utf8.ValidString(line) {
			r.problem(len(r.lines), 1, "the file is not valid UTF-8")
			return nil
		}
	}
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		r.syntax(err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			r.fail(doc.Body, "a file is one YAML document; put the others into files of their own")
		default:
			body = doc.Body
		}
	}
	return body
}

// syntax reports an error of the YAML parser.
func (r *reader) syntax(err error) {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		place := at.GetToken().Position
		r.problem(place.Line, place.Column, "not YAML: %s%s", at.GetMessage(), r.quoteHint(place.Line))
		return
	}
	r.problem(1, 1, "not YAML: %v", err)
}

// needsQuotes matches a line whose expression YAML takes for something of its own: ! begins a tag, and ": " of ?: a key.
var needsQuotes = regexp.MustCompile(`^[\s-]*(expr|clear|value):\s+(!|[^"'|>\s].*\s:\s)`)

// quoteHint explains a syntax error in a line.
func (r *reader) quoteHint(line int) string {
	if line >= 1 && line <= len(r.lines) && needsQuotes.MatchString(string(r.lines[line-1])) {
		return " (an expression that begins with ! or has ?: in it needs quotes)"
	}
	return ""
}

func (r *reader) problem(line, column int, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		File: r.file, Line: max(line, 1), Column: max(column, 1), Text: fmt.Sprintf(format, args...),
	})
}

// fail reports a problem at a node.
func (r *reader) fail(n ast.Node, format string, args ...any) {
	at := position(n)
	r.problem(at.Line, at.Column, format, args...)
}

// position is where a node begins.
func position(n ast.Node) token.Position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key // the token of a mapping is its first colon
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return *t.Position
	}
	return token.Position{Line: 1, Column: 1}
}

// resolve follows anchors, aliases and tags to the node that holds the value.
func (r *reader) resolve(n ast.Node) ast.Node {
	for range 16 { // an alias of an alias of …: nobody needs more
		switch v := n.(type) {
		case *ast.AnchorNode:
			r.anchors[v.Name.GetToken().Value] = v.Value
			n = v.Value
		case *ast.AliasNode:
			n = r.anchors[v.Value.GetToken().Value]
		case *ast.TagNode:
			n = v.Value
		default:
			return n
		}
	}
	return nil
}

// mapping reads a node that must be a mapping; what is it in messages.
func (r *reader) mapping(n ast.Node, what string) (fields []field, ok bool) {
	m, ok := r.resolve(n).(ast.MapNode)
	if !ok {
		r.fail(n, "%s must be a mapping of keys to values", what)
		return nil, false
	}
	for each := m.MapRange(); each.Next(); {
		key := each.Key()
		if key.IsMergeKey() {
			r.fail(key, "merging with << is not supported")
			continue
		}
		fields = append(fields, field{key: keyText(key), at: key, value: each.Value()})
	}
	return fields, true
}

func keyText(key ast.MapKeyNode) string {
	if s, ok := key.(*ast.StringNode); ok {
		return s.Value
	}
	return key.GetToken().Value
}

// list reads a node that must be a list.
func (r *reader) list(n ast.Node, what string) (items []ast.Node, ok bool) {
	s, ok := r.resolve(n).(*ast.SequenceNode)
	if !ok {
		r.fail(n, "%s must be a list", what)
		return nil, false
	}
	return s.Values, true
}

// text reads a node that must be a text or another scalar, which is taken as it is written.
func (r *reader) text(n ast.Node, what string) (string, bool) {
	switch v := r.resolve(n).(type) {
	case *ast.StringNode:
		return r.notEmpty(n, v.Value, what)
	case *ast.LiteralNode:
		return r.notEmpty(n, v.Value.Value, what)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return v.GetToken().Value, true
	case *ast.NullNode:
		r.fail(n, "%s is empty; a text with # or ! at its beginning needs quotes", what)
		return "", false
	}
	r.fail(n, "%s must be a text%s", what, hintOf(n))
	return "", false
}

func (r *reader) notEmpty(n ast.Node, text, what string) (string, bool) {
	if strings.TrimSpace(text) == "" {
		r.fail(n, "%s is empty", what)
		return "", false
	}
	return text, true
}

// texts reads a list of texts, or a single one.
func (r *reader) texts(n ast.Node, what string) (texts []string, ok bool) {
	if _, single := r.resolve(n).(*ast.StringNode); single {
		text, ok := r.text(n, what)
		return []string{text}, ok
	}
	items, ok := r.list(n, what)
	texts = []string{}
	for _, item := range items {
		text, fine := r.text(item, "each of "+what)
		texts, ok = append(texts, text), ok && fine
	}
	return texts, ok
}

// within is where in the file the character at an offset of a scalar's text stands. It walks the text and the file in
// step, taking any white space for any other, so that it works for all of YAML's styles; where it loses the track (escape
// sequences) it is the beginning of the scalar.
func (r *reader) within(n ast.Node, text string, offset int) (line, column int) {
	n = r.resolve(n)
	start := position(n)
	row, col := start.Line-1, start.Column-1
	switch v := n.(type) {
	case *ast.LiteralNode:
		row, col = position(v).Line, 0 // the lines after the | or >
	case *ast.StringNode:
		if v.Token.Type == token.SingleQuoteType || v.Token.Type == token.DoubleQuoteType {
			col++
		}
	}
	for i, want := range []rune(text) {
		if unicode.IsSpace(want) {
			continue
		}
		row, col = r.skipSpace(row, col)
		if row >= len(r.lines) || r.lines[row][col] != want {
			break
		}
		if i >= offset {
			return row + 1, col + 1
		}
		col++
	}
	return start.Line, start.Column
}

// skipSpace is the place of the next character that is no white space, from a place in the file on.
func (r *reader) skipSpace(row, col int) (int, int) {
	for ; row < len(r.lines); row, col = row+1, 0 {
		for ; col < len(r.lines[row]); col++ {
			if !unicode.IsSpace(r.lines[row][col]) {
				return row, col
			}
		}
	}
	return row, col
}

// sorted orders problems by place.
func sorted(problems Problems) Problems {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return problems
}
