package wolkvox

import (
	"encoding/json"
	"fmt"

	"unconnected/producer/wolkvox/result"
)

// Unknown stands for a number that the token report does not give.
const Unknown = -1

// TokenInfo is the API's own account of the day's requests. The day is local,
// and the quota is shared by all tokens of the operation.
type TokenInfo struct {
	Description string // what the token was called when it was made
	Limit       int64  // token_limit: requests a day that the token may make; Unknown if not a number
	UsedToday   int64  // token_use_today: by this token; Unknown if not a number
	AllToday    int64  // all_token_today: by all tokens of the operation; Unknown if not a number
	Available   int64  // available_consumption_options: requests left today
}

// rawTokenInfo is the report's only row.
type rawTokenInfo struct {
	Description json.RawMessage `json:"description"`
	Limit       json.RawMessage `json:"token_limit"`
	UsedToday   json.RawMessage `json:"token_use_today"`
	AllToday    json.RawMessage `json:"all_token_today"`
	Available   json.RawMessage `json:"available_consumption_options"`
}

// readTokenInfo understands a reply to token_info. Without a number of requests
// left the report is of no use and counts as garbage.
func readTokenInfo(r reply) (TokenInfo, *Error) {
	e, _, failed := open(r)
	if failed != nil {
		return TokenInfo{}, failed
	}
	raw, err := firstTokenInfo(e.Data)
	if err == nil && number(raw.Available) == Unknown {
		err = fmt.Errorf("available_consumption_options is not a number: %s", excerpt(raw.Available))
	}
	if err != nil {
		return TokenInfo{}, &Error{Kind: KindGarbage, Op: r.op, Status: r.status, Msg: words(e.Msg), Err: err}
	}
	return TokenInfo{
		Description: words(raw.Description),
		Limit:       number(raw.Limit),
		UsedToday:   number(raw.UsedToday),
		AllToday:    number(raw.AllToday),
		Available:   number(raw.Available),
	}, nil
}

// firstTokenInfo accepts a list or a single object, like the reports.
func firstTokenInfo(data json.RawMessage) (rawTokenInfo, error) {
	if blank(data) {
		return rawTokenInfo{}, fmt.Errorf("the report has no row")
	}
	rows := make([]rawTokenInfo, 1)
	var err error
	if data[0] == '[' {
		err = json.Unmarshal(data, &rows)
	} else {
		err = json.Unmarshal(data, &rows[0])
	}
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("the report has no row")
	}
	if err != nil {
		return rawTokenInfo{}, fmt.Errorf("data: %w", err)
	}
	return rows[0], nil
}

// number returns Unknown for anything but a whole number that is not negative.
func number(raw json.RawMessage) int64 {
	s, err := text(raw)
	if err != nil {
		return Unknown
	}
	n, err := result.Count(s)
	if err != nil {
		return Unknown
	}
	return n
}
