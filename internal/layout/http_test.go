package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// TestHTTPHasLimits: no program serves HTTP to clients that take for ever, or asks without a client of its own.
func TestHTTPHasLimits(t *testing.T) {
	servers := 0
	for _, s := range sources(t) {
		if s.test() || forTests(s.pkg) || !slices.Contains(s.imports, "net/http") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, s.name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if ofHTTP(n.Type) == "Server" {
					servers++
					for _, field := range []string{"ReadHeaderTimeout", "ReadTimeout", "IdleTimeout", "MaxHeaderBytes"} {
						if !slices.ContainsFunc(n.Elts, func(e ast.Expr) bool { return isField(e, field) }) {
							t.Errorf("%s: an http.Server without %s", s.name, field)
						}
					}
				}
			case *ast.SelectorExpr:
				if slices.Contains([]string{"ListenAndServe", "Serve", "Get", "Post", "PostForm", "Head", "DefaultClient"}, ofHTTP(n)) {
					t.Errorf("%s uses http.%s, which has no limits", s.name, n.Sel.Name)
				}
			}
			return true
		})
	}
	if servers < 2 {
		t.Errorf("%d servers were found, and there are those of the daemons and of the simulated API", servers)
	}
}

// ofHTTP is the name of what an expression takes from package http, or "".
func ofHTTP(x ast.Expr) string {
	selector, ok := x.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := selector.X.(*ast.Ident); !ok || pkg.Name != "http" {
		return ""
	}
	return selector.Sel.Name
}

func isField(x ast.Expr, name string) bool {
	pair, ok := x.(*ast.KeyValueExpr)
	if !ok {
		return false
	}
	key, ok := pair.Key.(*ast.Ident)
	return ok && key.Name == name
}
