package config

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// List is a list of texts separated by commas. Spaces around them and empty entries are dropped.
type List []string

// Set reads a list.
func (l *List) Set(value string) error {
	*l = nil
	for entry := range strings.SplitSeq(value, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			*l = append(*l, entry)
		}
	}
	return nil
}

// String writes the list as [List.Set] reads it.
func (l List) String() string { return strings.Join(l, ",") }

// Map is a list of names and texts such as default:Ventas Bogotá,cob:Cobranza. Spaces around both are dropped.
type Map map[string]string

// Set reads a map.
func (m *Map) Set(value string) error {
	var entries List
	if err := entries.Set(value); err != nil {
		return err
	}
	*m = make(Map, len(entries))
	for _, entry := range entries {
		key, text, ok := strings.Cut(entry, ":")
		key, text = strings.TrimSpace(key), strings.TrimSpace(text)
		if !ok || key == "" || text == "" {
			return fmt.Errorf("%s is not a name and a text with a colon between them", quote(entry))
		}
		if _, again := (*m)[key]; again {
			return fmt.Errorf("%s is there twice", quote(key))
		}
		(*m)[key] = text
	}
	return nil
}

// Location is a time zone by its name. A program that reads one should import time/tzdata, so that the zones are there
// in an empty container too.
type Location struct{ zone *time.Location }

// Set looks the zone up.
func (l *Location) Set(value string) error {
	name := strings.TrimSpace(value)
	zone, err := time.LoadLocation(name)
	if err != nil || zone == time.Local || name == "" {
		return fmt.Errorf("%s is not the name of a time zone", quote(value))
	}
	l.zone = zone
	return nil
}

// Zone is the zone, nil when unset.
func (l Location) Zone() *time.Location { return l.zone }

// IsSet reports whether a zone was given.
func (l Location) IsSet() bool { return l.zone != nil }

// String is the name of the zone, empty when unset.
func (l Location) String() string {
	if l.zone == nil {
		return ""
	}
	return l.zone.String()
}

// Example is a right value.
func (Location) Example() string { return "America/Bogota" }

// HTTPAddr is an address to listen on, host:port, or `off`.
type HTTPAddr string

// Off as an address means that nothing listens.
const Off HTTPAddr = "off"

// Set reads an address.
func (a *HTTPAddr) Set(value string) error {
	text := strings.TrimSpace(value)
	if strings.EqualFold(text, string(Off)) {
		*a = Off
		return nil
	}
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("%s is not an address (host:port, :port, or off)", quote(value))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s has no port between 0 and 65535", quote(value))
	}
	*a = HTTPAddr(text)
	return nil
}

// Enabled reports whether something is to listen.
func (a HTTPAddr) Enabled() bool { return a != "" && a != Off }

// Example is a right value.
func (HTTPAddr) Example() string { return "127.0.0.1:8080" }

// File is the path of a file that can be read, empty when unset.
type File string

// Set checks that the file can be read.
func (f *File) Set(value string) error {
	path := strings.TrimSpace(value)
	file, err := os.Open(path)
	if err != nil {
		return unreadable(path, err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.IsDir() {
		return fmt.Errorf("%s is not a file", quote(path))
	}
	*f = File(path)
	return nil
}

// CheckURL reports whether text is an absolute URL with a host and one of the schemes. Its errors never show the text:
// a URL may contain a password.
func CheckURL(text string, schemes ...string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return fmt.Errorf("is not a URL with a host (%s://…)", strings.Join(schemes, "://…, "))
	}
	return nil
}
