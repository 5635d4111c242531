package alerter

import (
	"cmp"
	"strings"
)

// remark is something that a report says: in English for /readyz, and for people in Slack in Spanish, too. What comes from a
// library or a server is technical text, and stays as it came.
type remark struct {
	text      string // in English, the technical text included
	es        string // in Spanish without it; "" where there is nothing else
	technical string // "" for none
}

// said is a remark without technical text.
func said(en, es string) remark { return remark{text: en, es: es} }

// because is a remark with the technical text that is its reason.
func because(en, es, technical string) remark {
	return remark{text: en + ": " + technical, es: es, technical: technical}
}

// technical is a remark that is technical text altogether.
func technical(text string) remark { return remark{text: text, technical: text} }

// in is the remark in a language. Spanish people see what of it is technical.
func (r remark) in(language string) string {
	switch {
	case language != "es":
		return r.text
	case r.technical == "":
		return r.es
	}
	return cmp.Or(r.es, "Detalle técnico") + ": `" + strings.ReplaceAll(r.technical, "`", "'") + "`"
}
