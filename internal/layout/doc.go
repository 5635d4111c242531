// Package layout holds the tests that keep the shape of the module: which package may import which, and how long a
// file may be. The rules are read from the table in CONTRIBUTING.md, so that what people read and what is checked
// cannot differ. Packages that are not in the table keep only the rules for all.
package layout
