// Package baseline is the statistics of what is usual: what share of an operation's unconnected calls a result usually
// has, and how rare a window is. It has no clock and does no input or output.
//
//	b := baseline.New(baseline.Prior(events.Congestion))
//	for _, w := range windows { // live windows with calls, in order of time
//		b.Observe(w)
//		if usual, ok := b.Usual(); ok {
//			fmt.Println(w.Share()-usual.Share, usual.Rarity(b.Pool(w, 1)))
//		}
//		b.Settle(firing)
//	}
//
// # What is usual
//
// Let x of a window's n unconnected calls have the result. A window must be unusual against its season and against the
// last hours alike, so that neither a busy Monday morning nor a slow drift is an incident:
//
//	p0       = max(p_season, p_recent)
//	p_season = median over the past 5 weeks of (X+5π)/(N+5), X and N pooled over the three half hours around the same
//	           local time of the week; weeks with N ≥ 20 only. With fewer than two of these, over the past 7 days at the same
//	           time of the day. Without any, p0 is p_recent alone, and N_season is 0.
//	p_recent = (X₃₆+60π)/(N₃₆+60), over the 36 newest windows of the history.
//	π        = the long-run share: counts that decay by 0.9995 a window, begun with 20 calls of a prior (see [Prior]).
//	N0       = min(N_season, N₃₆+60) + 100, how many calls p0 is worth. N_season is the sum of the N that the median is of.
//
// The median is what makes one bad day in the past harmless, and the pseudo-counts (the posterior mean under a Beta prior,
// [Gelman], 2.4) are what make a share of few calls sane.
//
// # How rare
//
// Calls do not fail independently: a trunk drops, a list of bad numbers is dialled. The intraclass correlation ρ of the
// beta-binomial distribution ([Skellam], [Griffiths]) measures that. It is learnt from each window with n ≥ 10 when it
// enters the history, by the method of moments ([Kleinman]) in small steps:
//
//	ρ ← ρ + 0.005·(e−ρ),  e = (x/n−p0)²/(p0(1−p0)) − 1/n
//
// It begins at 0.01; e is winsorised to [−0.02, 9(ρ+1/n)], or one outlier would make the next ones usual; ρ stays within
// [0.0005, 0.05]. Then, for one window or several pooled ones,
//
//	rarity = P(X ≥ x),  X ~ BetaBinomial(n, p0·M, (1−p0)·M),  M = 1/ρ′−1
//	ρ′     = ρ·(0.5 + 0.5·Σn²/(Σn)²) + 1/(N0+1)
//
// x and n being the sums over the windows. Half of the overdispersion is taken to be common to neighbouring windows, half
// each one's own, which pooling averages out. The last term is that p0 is itself an estimate: few known calls make nothing
// rare. One formula covers few calls, overdispersion and thin history. See [Tail] for how it is computed.
//
// # What enters the history
//
// A window enters after three further windows that were not part of an alert; the beginning of an incident is thereby
// still outside when the alert fires, and a window that is part of an alert never enters ([Baseline.Settle]). After 48
// hours of firing whoever evaluates calls [Baseline.Rebase]: the unusual has become the usual. Windows without calls, unknown
// windows and those of holidays are not shown to a baseline at all. A backfilled window enters at once ([Baseline.Fill]); a
// revision replaces the window that it corrects as long as that is among the newest 36 ([Baseline.Revise]).
//
// The history is a set, not a sequence: the same windows that entered in another order give the same seasons and the same
// 36 newest windows. Only π and ρ, which forget, depend on the order.
//
// # The first day
//
// Until 36 windows with calls are known, and 720 calls in them, there is no usual level: [Baseline.Usual] says so, and every
// window enters the history at once, or a site whose usual congestion is 35 % would begin with an alarm of two days.
//
// # Cost
//
// A Baseline takes at most 20 KB, however short the windows are: five weeks of half hours, 8 bytes each, and less while it is
// young or where nobody works on Sundays. A window costs well below a microsecond, its rarity about one when somebody asks for
// it, and neither allocates but for the first window of a day.
//
// [Gelman]: Gelman et al., Bayesian Data Analysis, 3rd ed., 2013.
// [Skellam]: Skellam, A probability distribution derived from the binomial distribution by regarding the probability of
// success as variable between the sets of trials, J. R. Stat. Soc. B 10, 1948.
// [Griffiths]: Griffiths, Maximum likelihood estimation for the beta-binomial distribution, Biometrics 29, 1973.
// [Kleinman]: Kleinman, Proportions with extraneous variance: single and independent samples, JASA 68, 1973.
package baseline
