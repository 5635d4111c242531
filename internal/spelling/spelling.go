// Package spelling finds the name that a misspelt one most likely means.
package spelling

// Nearest is the known name with the fewest edits, the first of several; "" when that takes more than most, so that it
// would be a guess.
func Nearest(name string, known []string, most int) string {
	best, least := "", most+1
	for _, k := range known {
		if edits := distance(name, k); edits < least {
			best, least = k, edits
		}
	}
	return best
}

// DidYouMean is a hint to append to an error about an unknown name; "" when no known one is near. What is misspelt by half
// its letters is not near.
func DidYouMean(name string, known []string) string { return Hint(Nearest(name, known, len(name)/2)) }

// Hint is how [DidYouMean] words a name; "" for none.
func Hint(near string) string {
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}

// distance is the Levenshtein distance in bytes: how many letters to insert, delete or replace to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // row[j] is the distance between the part of a read so far and b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
