package rule

// Tri is a truth of Kleene's strong three-valued logic. The values are ordered: "and" is the least, "or" the greatest,
// "not" changes the sign. The zero Tri is Unknown.
type Tri int8

// The three truths.
const (
	False   Tri = -1
	Unknown Tri = 0
	True    Tri = 1
)

// String is "false", "unknown" or "true".
func (t Tri) String() string {
	switch {
	case t < 0:
		return "false"
	case t > 0:
		return "true"
	}
	return "unknown"
}

// truth is the Tri of a known truth.
func truth(b bool) Tri {
	if b {
		return True
	}
	return False
}
