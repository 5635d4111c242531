package slack

import "unconnected/alerter/numeral"

// words are the phrases of one language. Every field must be set; a test looks.
type words struct {
	numeral.Format
	months        [12]string
	weekdays      [7]string // from Sunday
	hours         [2]string // the time of day in a sentence: at one o'clock, and at all others
	onDay, atHour string    // date, hour; hour

	firing, again, resolved, closed, worse, joined, better, peak string // states, before a title
	part                                                         string // of a share: 44% congestion
	of                                                           string // count, total
	threshold                                                    string
	calmer                                                       string // of an alert that may end
	usual, learning                                              string // what a value is compared with
	window, since, sofar, fromTo, fromDayTo, took, withBreaks    string
	peakAt, whenFired, whenFiredLast, finalValue                 string
	alsoHere, othersResolved, otherSince, stillFiring            string
	noTraffic, outOfHours, ruleRemoved, rebased                  string
	networkSide, customerSide, where, checkFirst                 string
	runbook, more, late, lateBy                                  string
	severity                                                     string
	severities                                                   map[string]string // :: severity → word
	results                                                      map[string]string // :: result → title
	hints                                                        map[string]string // :: result → what to check first
	noData, noDataSince, known, dataAgain, otherHint             string

	people
	many
	daily
	blind
}

// people are the phrases about what people do.
type people struct {
	drill, drillNote, drillOver                                      string
	isOnIt, wasOnIt, nobody, somebody                                string
	silencedUntil, silencedFrom, wasSilenced, silenceOver, by        string
	tookOver, endedSilence, reminder                                 string // who or how long, title
	why, remark                                                      string
	noReminders, quiet, quietThen, loud                              string
	allAlerts, allEverywhere                                         string
	acknowledge, silence, silenceHour, silenceHours, silenceTomorrow string // on buttons
}

// many are the phrases about several operations at once.
type many struct {
	operations                                 plural
	groupOf, groupSome, groupOver, groupClosed string // operations, titles
	groupReminder                              string // how long, operations, titles
	groupShared, groupThread, timesIn          string
	valuesAsOf                                 string // follows timesIn
}

// daily are the phrases of the digest.
type daily struct {
	yesterday, noOperations                          string
	calls, incidents, stillOpen                      plural
	fewer, greater, same, noCompare                  string
	network, customer, otherResults                  string
	noIncidents, lasted, longest                     string
	complete, partly, missedTime, absentTime         string
	emptyDay, emptySince, emptyFrom                  string // that nothing is known of the day; when, operations
	uneventful, incidentsIn, compactNetwork, ongoing string
}

// blind are the phrases about what cannot be watched.
type blind struct {
	blindSince, blindWhy, blindMeans, blindDo, blindReason string
	watchedAgain, blindFor, blindOver                      string
}

// wordsFor are the phrases of a language; anything but "es" is English.
func wordsFor(language string) *words {
	if language == "es" {
		return &spanish
	}
	return &english
}
