package rule

// phrases are the words that sentences about rules are made of, in one language.
type phrases struct {
	language                              string
	fires, ticks, orAtOnce, ends          string
	otherwise, quiet                      string
	operations, hours                     string
	one, inARow, nOfM                     string
	lastWindows, lastTime                 string
	and, or, not, either                  string
	total, share, calls                   string
	missing, status                       string
	severities, verbs, results, functions map[string]string
	truths                                map[bool]string
}

var english = &phrases{
	language: English,
	fires:    "%s: fires when in %s %s",
	ticks:    "%s: fires when %s, and ends when that is over.",
	orAtOnce: "; or at once when %s",
	ends:     ". It ends after %s in which %s.", otherwise: "that is not so", quiet: "%s",
	operations: " Only for %s.", hours: " Only in the hours %s.",
	one: "one window", inARow: "%d windows in a row", nOfM: "%d of %d windows", lastWindows: "%s windows", lastTime: "%s",
	and: " and ", or: " or ", not: "not (%s)", either: "while %s: %s; afterwards: %s",
	total: "the number of unconnected calls", share: "the share of %s", calls: "the number of calls with %s",
	missing: "windows do not come", status: "the producer says %s",
	severities: map[string]string{"info": "Info", "warning": "Warning", "critical": "Critical"},
	verbs: map[string]string{
		">=": "is at least", ">": "is above", "<": "is below", "<=": "is at most", "==": "is", "!=": "is not",
	},
	results: map[string]string{
		"no_answer": "no answer", "chanunavail": "channel unavailable", "do_not_call": "do not call", "cancel": "cancelled",
		"unlisted": "results that no rule knows",
	},
	functions: map[string]string{
		"mean":      "the mean of %s over the last %s",
		"median":    "the median of %s over the last %s",
		"max":       "the highest value of %s over the last %s",
		"sum":       "the sum of %s over the last %s",
		"same_time": "%s at the same time %s ago",
		"baseline":  "what is usual for %s", "baseline2": "what is usual for %s (or an estimate from %s on)",
		"lift":   "%s less what is usual",
		"ratio":  "%s in multiples of what is usual",
		"rarity": "the probability of so high a value of %s", "rarity2": "the probability of so high a value of %s over the last %s windows together",
		"raised":         "the number of windows in which %s is %s above usual, of the last %s,",
		"learning":       "what is usual for %s is still being learnt",
		"expected_total": "the number of calls that is usual at this time",
		"age":            "the age of the history in hours",
		"missing":        "windows do not come",
	},
	truths: map[bool]string{true: "always", false: "never"},
}

var spanish = &phrases{
	language: Spanish,
	fires:    "%s: se activa cuando en %s %s",
	ticks:    "%s: se activa cuando %s, y termina cuando eso deja de ocurrir.",
	orAtOnce: "; o de inmediato cuando %s",
	ends:     ". Termina tras %s en que %s.", otherwise: "eso no se cumple", quiet: "%s",
	operations: " Solo para %s.", hours: " Solo en las horas %s.",
	one: "una ventana", inARow: "%d ventanas seguidas", nOfM: "%d de %d ventanas", lastWindows: "las últimas %s ventanas", lastTime: "el último lapso de %s",
	and: " y ", or: " o ", not: "no (%s)", either: "mientras %s: %s; después: %s",
	total: "el número de llamadas no conectadas", share: "la proporción de %s", calls: "el número de llamadas con %s",
	missing: "no llegan ventanas", status: "el productor dice %s",
	severities: map[string]string{"info": "Informativa", "warning": "Advertencia", "critical": "Crítica"},
	verbs: map[string]string{
		">=": "es al menos", ">": "supera", "<": "es menor que", "<=": "es a lo sumo", "==": "es", "!=": "no es",
	},
	results: map[string]string{
		"busy": "ocupado", "cancel": "canceladas", "chanunavail": "canal no disponible", "congestion": "congestión",
		"do_not_call": "lista de no llamar", "no_answer": "no contestada", "unlisted": "resultados que ninguna regla conoce",
	},
	functions: map[string]string{
		"mean":      "la media de %s en %s",
		"median":    "la mediana de %s en %s",
		"max":       "el valor máximo de %s en %s",
		"sum":       "la suma de %s en %s",
		"same_time": "%s a la misma hora hace %s",
		"baseline":  "lo usual de %s", "baseline2": "lo usual de %s (o una estimación que parte de %s)",
		"lift":   "%s menos lo usual",
		"ratio":  "%s en múltiplos de lo usual",
		"rarity": "la probabilidad de un valor tan alto de %s", "rarity2": "la probabilidad de un valor tan alto de %s en las últimas %s ventanas juntas",
		"raised":         "el número de ventanas en que %s está %s sobre lo usual, de las últimas %s,",
		"learning":       "aún se aprende lo usual de %s",
		"expected_total": "el número de llamadas usual a esta hora",
		"age":            "la edad del historial en horas",
		"missing":        "no llegan ventanas",
	},
	truths: map[bool]string{true: "siempre", false: "nunca"},
}
