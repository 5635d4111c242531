package baseline

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func exactTail(n, x, a, b int64) float64 {
	rising := func(v *big.Rat, k int64) *big.Rat { // v(v+1)…(v+k-1)
		out := big.NewRat(1, 1)
		for i := range k {
			out.Mul(out, new(big.Rat).Add(v, big.NewRat(i, 1)))
		}
		return out
	}
	alpha, beta := big.NewRat(a, 100), big.NewRat(b, 100)
	whole := rising(new(big.Rat).Add(alpha, beta), n)
	sum := new(big.Rat)
	for k := max(x, 0); k <= n; k++ {
		term := new(big.Rat).SetInt(new(big.Int).Binomial(n, k))
		term.Mul(term, rising(alpha, k)).Mul(term, rising(beta, n-k))
		sum.Add(sum, term)
	}
	v, _ := sum.Quo(sum, whole).Float64()
	return v
}

func TestTailIsTheExactOneForFewCalls(t *testing.T) {
	for _, shape := range [][2]int64{{500, 9500}, {50, 1950}, {3, 297}, {4500, 5500}, {250, 250}, {9000, 1000}, {190, 10}} {
		for _, n := range []int64{1, 2, 7, 20, 45} {
			for x := int64(-1); x <= n+1; x++ {
				want := exactTail(n, x, shape[0], shape[1])
				got := Tail(float64(n), float64(x), float64(shape[0])/100, float64(shape[1])/100)
				if math.Abs(got-want) > 1e-11+1e-9*want {
					t.Errorf("n=%d x=%d a=%d b=%d hundredths: %v, exactly %v", n, x, shape[0], shape[1], got, want)
				}
			}
		}
	}
}

func TestTailFallsWithX(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		n := math.Floor(math.Pow(10, 5*r.Float64()))
		p, m := leastShare+r.Float64()*(1-2*leastShare), 15+2000*r.Float64()
		before := 1.0
		for x, step := 0.0, max(1, math.Floor(n/60)); x <= n+step; x += step {
			got := Tail(n, x, p*m, (1-p)*m)
			if math.IsNaN(got) || got < 0 || got > before+1e-9 {
				t.Fatalf("n=%v p=%v M=%v: %v at %v after %v", n, p, m, got, x, before)
			}
			before = got
		}
	}
}

func TestTailOfManyCallsIsCloseAndNeverTooRare(t *testing.T) {
	for _, c := range []struct{ n, x, p, rho float64 }{
		{2000, 500, 0.13, 0.012}, {4000, 1100, 0.2, 0.011}, {9000, 2500, 0.2, 0.02}, {20000, 10200, 0.45, 0.01},
	} {
		m := 1/c.rho - 1
		exact := sumUp(c.n, c.x, c.p*m, (1-c.p)*m)
		got := Tail(c.n, c.x, c.p*m, (1-c.p)*m)
		if got < exact*0.999 || got > exact*4 {
			t.Errorf("%+v: %v, summed exactly %v", c, got, exact)
		}
	}
}
