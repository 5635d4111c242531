package alerter

import "strings"

// digestPrefix begins the ids of the daily messages, which no operation's name can.
const digestPrefix = "@digest/"

func isDigest(id string) bool { return strings.HasPrefix(id, digestPrefix) }
