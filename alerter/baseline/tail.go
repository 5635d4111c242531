package baseline

import "math"

// maxTerms is the greatest number of calls for which the tail is summed exactly.
const maxTerms = 1024

// Tail is P(X ≥ x) for X ~ BetaBinomial(n, a, b), the number of successes among n trials whose probability is
// Beta(a, b) distributed: between 0 and 1, never NaN, and never rising with x. a and b must be above
// zero and a+b at least 2, so that the distribution has one mode.
//
// The probability of x itself comes from log-gamma functions, its neighbours from the ratio of two terms,
//
//	P(k+1)/P(k) = (n−k)(k+a) / ((k+1)(n−k−1+b)),
//
// summed away from the mean until they add nothing. More than 1024 trials are scaled down to 1024 of the same share,
// rounded towards the usual, which makes a window of so many calls look slightly less rare than it is: what the scaling adds
// to the variance, 1/1024 of p(1-p), is small beside the overdispersion of real calls (a hundredth).
func Tail(n, x, a, b float64) float64 {
	if n > maxTerms {
		x, n = math.Floor(x*maxTerms/n), maxTerms
	}
	switch {
	case !(x > 0):
		return 1
	case x > n:
		return 0
	case x > n*a/(a+b):
		return min(1, sumUp(n, x, a, b))
	}
	return max(0, 1-sumDown(n, x-1, a, b))
}

// sumUp is P(X ≥ x).
func sumUp(n, x, a, b float64) float64 {
	term := probability(n, x, a, b)
	total := term
	for k := x; k < n; k++ {
		term *= (n - k) * (k + a) / ((k + 1) * (n - k - 1 + b))
		total += term
		if term < total*negligible {
			break
		}
	}
	return total
}

// sumDown is P(X ≤ x).
func sumDown(n, x, a, b float64) float64 {
	term := probability(n, x, a, b)
	total := term
	for k := x; k > 0; k-- {
		term *= k * (n - k + b) / ((n - k + 1) * (k - 1 + a))
		total += term
		if term < total*negligible {
			break
		}
	}
	return total
}

// negligible is the part of a sum below which a term, and all that follow it, are left out.
const negligible = 1e-12

// probability is P(X = x).
func probability(n, x, a, b float64) float64 {
	return math.Exp(logGamma(n+1) - logGamma(x+1) - logGamma(n-x+1) +
		logGamma(x+a) + logGamma(n-x+b) - logGamma(n+a+b) +
		logGamma(a+b) - logGamma(a) - logGamma(b))
}

func logGamma(v float64) float64 {
	l, _ := math.Lgamma(v) // of a positive number: the sign is +
	return l
}
