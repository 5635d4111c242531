package natsroles

import (
	"fmt"
	"io"
	"strings"

	"unconnected/internal/natsio"
)

// Identity is how the server recognises the user of a role.
type Identity struct {
	line    string   // of the server's configuration
	inboxes []string // prefixes of the inboxes that the client has because of it, beside the role's own
	never   string   // a variable that must not be empty
}

// Password recognises a role by its name and a password of letters and digits from the server's environment, such as
// PRODUCER_PASSWORD. A server for which the variable is unset or empty does not start.
func Password(role string) Identity {
	variable := "$" + strings.ToUpper(role) + "_PASSWORD"
	return Identity{line: fmt.Sprintf("user: %s, password: %s", role, variable), never: variable}
}

// Nkey recognises a role by a public key, which is no secret.
func Nkey(public string) Identity {
	return Identity{line: "nkey: " + public, inboxes: []string{natsio.InboxPrefix(public)}}
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
	fmt.Fprintf(b, "        {\n            %s\n            permissions: {\n", id.line)
	b.WriteString("                publish: {\n")
	writeList(b, "allow", quote(role.Publish))
	writeList(b, "deny", quote(role.Deny))
	b.WriteString("                }\n                subscribe: {\n")
	var inboxes []string
	for _, prefix := range append(role.Inboxes, id.inboxes...) {
		inboxes = append(inboxes, prefix+".>")
	}
	writeList(b, "allow", quote(inboxes))
	if id.never != "" {
		b.WriteString("                    # No subject is empty: without a password, which would let everybody in, the server does not start.\n")
		writeList(b, "deny", []string{id.never})
	}
	b.WriteString("                }\n            }\n        }\n")
}

func writeList(b *strings.Builder, name string, subjects []string) {
	if len(subjects) == 0 {
		return
	}
	fmt.Fprintf(b, "                    %s: [\n", name)
	for _, subject := range subjects {
		fmt.Fprintf(b, "                        %s\n", subject)
	}
	b.WriteString("                    ]\n")
}

func quote(subjects []string) []string {
	quoted := make([]string, len(subjects))
	for i, subject := range subjects {
		quoted[i] = fmt.Sprintf("%q", subject)
	}
	return quoted
}
