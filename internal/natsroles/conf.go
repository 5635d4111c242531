package natsroles

import (
	"fmt"
	"io"
	"strings"
)

// Identity is how the server recognises the user of a role: one line of its configuration, and the inbox prefixes that the
// client has because of it, beside the role's own.
type Identity struct {
	Line    string
	Inboxes []string
}

// Password recognises a role by its name and a password from the server's environment, such as PRODUCER_PASSWORD. A
// server without the variable does not start.
func Password(role string) Identity {
	return Identity{Line: fmt.Sprintf("user: %s, password: $%s_PASSWORD", role, strings.ToUpper(role))}
}

// Nkey recognises a role by a public key, which is no secret.
func Nkey(public string, inboxes ...string) Identity {
	return Identity{Line: "nkey: " + public, Inboxes: inboxes}
}

// WriteConf writes the roles as a part of a nats-server's configuration, to be included in it. Nobody else may connect then.
func WriteConf(w io.Writer, identify func(role string) Identity) error {
	var b strings.Builder
	b.WriteString(head)
	for _, role := range Roles() {
		writeUser(&b, role, identify(role.Name))
	}
	b.WriteString("    ]\n}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

const head = `# Who may do what in NATS, written by ` + "`unconnected streams users`" + `; deploy/nats/README.md tells how to use it.

authorization {
    users: [
`

func writeUser(b *strings.Builder, role Role, id Identity) {
	fmt.Fprintf(b, "        # %s: %s\n", role.Name, role.For)
	fmt.Fprintf(b, "        {\n            %s\n            permissions: {\n", id.Line)
	writeList(b, "publish", role.Publish, role.Deny)
	var inboxes []string
	for _, prefix := range append(role.Inboxes, id.Inboxes...) {
		inboxes = append(inboxes, prefix+".>")
	}
	writeList(b, "subscribe", inboxes, nil)
	b.WriteString("            }\n        }\n")
}

func writeList(b *strings.Builder, verb string, allow, deny []string) {
	fmt.Fprintf(b, "                %s: {\n", verb)
	for _, list := range []struct {
		name     string
		subjects []string
	}{{"allow", allow}, {"deny", deny}} {
		if len(list.subjects) == 0 {
			continue
		}
		fmt.Fprintf(b, "                    %s: [\n", list.name)
		for _, subject := range list.subjects {
			fmt.Fprintf(b, "                        %q\n", subject)
		}
		b.WriteString("                    ]\n")
	}
	b.WriteString("                }\n")
}
