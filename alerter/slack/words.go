package slack

// words are the phrases of one language. Every field must be set; a test looks.
type words struct {
	groupMark, decimalMark, percentSign string
	months                              [12]string

	firing, again, resolved, worse, joined, better, peak string // states, before a title
	part                                                 string // of a share: 44% congestion
	of                                                   string // count, total
	threshold                                            string
	usual, learning                                      string // what a value is compared with
	window, since, sofar, fromTo, took                   string
	peakAt, whenFired, finalValue                        string
	alsoHere, othersResolved, otherSince, stillFiring    string
	noTraffic, outOfHours, ruleRemoved, rebased          string
	networkSide, customerSide, where, checkFirst         string
	runbook, more, late                                  string
	severity                                             string
	severities                                           map[string]string // :: severity → word
	results                                              map[string]string // :: result → title
	hints                                                map[string]string // :: result → what to check first
	noData, otherHint                                    string
}

// wordsFor are the phrases of a language; anything but "es" is English.
func wordsFor(language string) *words {
	if language == "es" {
		return &spanish
	}
	return &english
}

var english = words{
	groupMark: ",", decimalMark: ".", percentSign: "%",
	months: [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},

	firing: "Firing: %s", again: "Firing again: %s", resolved: "Resolved: %s", worse: "Getting worse: %s",
	joined: "Also: %s", better: "Over: %s", peak: "peak %s",
	part: "%s", of: "%s of %s unconnected calls",
	threshold: " · threshold %s",
	usual:     " · usual %s",
	learning:  " · what is usual is still being learnt",
	window:    "Window %s, %s (%s)", since: "Since %s", sofar: " · %s so far", fromTo: "From %s to %s", took: " · %s",
	peakAt: " · peak %s (%s)", whenFired: "When it fired: %s", finalValue: "At the end: %s",
	alsoHere: "Other alerts of this incident", othersResolved: "resolved %s", otherSince: "since %s", stillFiring: "Still firing:",
	noTraffic:   "Closed because an hour went by without enough calls to judge: check that dialling was meant to stop",
	outOfHours:  "Closed because the rule's hours ended: nobody watches this now",
	ruleRemoved: "Closed because the rule was changed or removed, not because things are better",
	rebased:     "Closed because this has lasted so long that it counts as the usual level now",
	networkSide: "Network side: trunk, carrier or blocked numbers.", customerSide: "Customer side: the people called, the list or the campaign.",
	where: "The counts do not tell campaign or trunk: in Wolkvox, open the call detail report for these minutes and filter it by this result.", checkFirst: "Check first: %s",
	runbook: "What to do", more: "+%d more", late: "This message came %s late.",
	severity:   "Severity: %s",
	severities: map[string]string{"info": "info", "warning": "warning", "critical": "critical"},
	results: map[string]string{
		"busy": "Busy", "cancel": "Cancelled", "chanunavail": "Channel unavailable", "congestion": "Congestion",
		"do_not_call": "Do not call", "no_answer": "No answer", "tcpa": "Called too often (TCPA)",
	},
	hints: map[string]string{
		"congestion":  "are all channels of the trunk in use, and does the carrier report a fault?",
		"chanunavail": "is the trunk registered, and has the carrier blocked the numbers shown to customers?",
		"busy":        "are the same numbers dialled again too soon?",
		"cancel":      "is the dialler faster than the agents, or the ringing time too short?",
		"no_answer":   "calling hours, the age of the list, and whether the numbers shown are marked as spam.",
		"tcpa":        "the campaign's attempts a day: these customers were already called as often as allowed in 24 hours.",
		"do_not_call": "the list that was loaded: these numbers are on the blacklist.",
	},
	noData:    "is the producer running and ready (/readyz), and does Wolkvox answer? /readyz says what it waits for.",
	otherHint: "what Wolkvox means by this result: it is none of the documented ones.",
}

var spanish = words{
	groupMark: ".", decimalMark: ",", percentSign: string(nbsp) + "%",
	months: [12]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"},

	firing: "Activa: %s", again: "Activa de nuevo: %s", resolved: "Resuelta: %s", worse: "Empeora: %s",
	joined: "También: %s", better: "Terminó: %s", peak: "máximo %s",
	part: "de %s", of: "%s de %s llamadas no conectadas",
	threshold: " · umbral %s",
	usual:     " · lo usual: %s",
	learning:  " · aún se aprende lo usual",
	window:    "Ventana %s, %s (%s)", since: "Desde %s", sofar: " · %s hasta ahora", fromTo: "De %s a %s", took: " · %s",
	peakAt: " · máximo %s (%s)", whenFired: "Cuando se activó: %s", finalValue: "Al final: %s",
	alsoHere: "Otras alertas de este incidente", othersResolved: "resuelta %s", otherSince: "desde %s", stillFiring: "Sigue activa:",
	noTraffic:   "Cerrada porque pasó una hora sin llamadas suficientes para juzgar: revise que la marcación debía parar",
	outOfHours:  "Cerrada porque terminó el horario de la regla: nadie vigila esto ahora",
	ruleRemoved: "Cerrada porque la regla cambió o se quitó, no porque haya mejorado",
	rebased:     "Cerrada porque ha durado tanto que ya cuenta como el nivel habitual",
	networkSide: "Lado de la red: troncal, operador o números bloqueados.", customerSide: "Lado del cliente: las personas llamadas, la lista o la campaña.",
	where: "Los conteos no dicen campaña ni troncal: en Wolkvox, abra el reporte de detalle de llamadas de estos minutos y filtre por este resultado.", checkFirst: "Revise primero: %s",
	runbook: "Qué hacer", more: "+%d más", late: "Este mensaje llegó con %s de retraso.",
	severity:   "Severidad: %s",
	severities: map[string]string{"info": "informativa", "warning": "advertencia", "critical": "crítica"},
	results: map[string]string{
		"busy": "Ocupado", "cancel": "Cancelada", "chanunavail": "Canal no disponible", "congestion": "Congestión",
		"do_not_call": "No llamar", "no_answer": "No contestada", "tcpa": "Llamado demasiadas veces (TCPA)",
	},
	hints: map[string]string{
		"congestion":  "¿están ocupados todos los canales de la troncal, y reporta el operador una falla?",
		"chanunavail": "¿está registrada la troncal, y ha bloqueado el operador los números que ven los clientes?",
		"busy":        "¿se marcan los mismos números demasiado pronto?",
		"cancel":      "¿va el marcador más rápido que los agentes, o es muy corto el tiempo de timbre?",
		"no_answer":   "el horario de llamadas, la antigüedad de la lista y si los números salen como spam.",
		"tcpa":        "los intentos por día de la campaña: a estos clientes ya se les llamó lo permitido en 24 horas.",
		"do_not_call": "la lista que se cargó: estos números están en la lista negra.",
	},
	noData:    "¿está el productor en marcha y listo (/readyz), y responde Wolkvox? /readyz dice qué espera.",
	otherHint: "qué quiere decir Wolkvox con este resultado: no es ninguno de los documentados.",
}
