// Package report writes what a replay found as one HTML page that needs nothing else: no scripts, no fonts, no network.
// It follows the reader's choice of light or dark, and fits a phone. Whatever comes from rules or events is escaped.
package report
