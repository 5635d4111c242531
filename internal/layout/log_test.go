package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

var logKeyRow = regexp.MustCompile("(?m)^\\| ((?:`[a-z_]+`(?:, )?)+) \\| [^|]+ \\|$")

// TestLogKeys: the keys of log lines are the documented ones, so that whoever searches logs can rely on them.
func TestLogKeys(t *testing.T) {
	documented := make(map[string]bool)
	section := regexp.MustCompile(`(?s)<!-- log keys -->.*?<!-- /log keys -->`).FindString(readFile(t, "deploy/README.md"))
	for _, row := range logKeyRow.FindAllStringSubmatch(section, -1) {
		for _, key := range quoted.FindAllStringSubmatch(row[1], -1) {
			if documented[key[1]] {
				t.Errorf("deploy/README.md says twice what %s means", key[1])
			}
			documented[key[1]] = true
		}
	}
	used := make(map[string]string) // :: key → a file
	for _, s := range sources(t) {
		if s.test() || forTests(s.pkg) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, s.name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range logKeys(file) {
			used[key] = s.name
		}
	}
	for _, key := range slices.Sorted(maps.Keys(used)) {
		if !documented[key] {
			t.Errorf("%s logs with the key %q, which deploy/README.md does not explain", used[key], key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(documented)) {
		if used[key] == "" {
			t.Errorf("deploy/README.md explains the key %q, which nobody logs with", key)
		}
	}
}

// logKeys are the keys that a file logs with.
func logKeys(file *ast.File) (keys []string) {
	first := map[string]int{"Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "Log": 3, "With": 0}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !isLogger(method.X) {
			return true
		}
		from, ok := first[method.Sel.Name]
		if !ok {
			return true
		}
		for i := from; i < len(call.Args); i += 2 {
			if literal, ok := call.Args[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				key, _ := strconv.Unquote(literal.Value) // it was parsed
				keys = append(keys, key)
			}
		}
		return true
	})
	return keys
}

// isLogger tells by its name whether an expression is a logger.
func isLogger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "log"
	case *ast.SelectorExpr:
		return x.Sel.Name == "log" || x.Sel.Name == "Log"
	case *ast.CallExpr: // log.With(…).Info(…)
		method, ok := x.Fun.(*ast.SelectorExpr)
		return ok && isLogger(method.X)
	}
	return false
}
