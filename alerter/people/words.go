package people

// words are the phrases of one language. Every field must be set; a test looks.
type words struct {
	language string // of the words: "en" or "es"

	unknown, over, youAreOnIt, isOnIt, choose, isSilent         string // what a click finds
	notMember, notOperator, cannotTell, missingScope, notOfOurs string // why somebody may not
	notStored, unrecorded                                       string // what went wrong

	noIncident, oneIncident, incidents, since, nobody, ackedBy, silentUntil string // status
	silences, silenceLine, from, until, allOperations, allRules             string
	judged, ago, notJudged, unwell, wellPhrase, notes, unknownOperation     string
	more, help                                                              string
}

// wordsFor are the phrases of a language; anything but "es" is English.
func wordsFor(language string) *words {
	if language == "es" {
		return &spanish
	}
	return &english
}

var english = words{
	language: "en",

	unknown:    "This incident is so old that nothing is known of it any more.",
	over:       "This incident has been over since %s: there is nothing left to do about it.",
	youAreOnIt: "You are already on it, since %s.",
	isOnIt:     "%s is already on it, since %s.",
	choose:     "I do not know for how long: choose from the menu again.",
	isSilent:   "This is silent until %s already, by %s.",

	notMember:    "Only members of this channel can do that: join it and try again.",
	notOperator:  "Only members of the user group that SLACK_OPERATORS names can do that.",
	notOfOurs:    "Only members of the channels that alerts are posted to can ask for that.",
	cannotTell:   "Slack does not say now who is a member (%s), so nothing was done: try again in a minute.",
	missingScope: "I may not ask Slack who is a member, so nothing was done: whoever runs this must give the app the scopes of deploy/slack/manifest.yaml and install it again.",
	notStored:    "That could not be stored, so nothing was done: NATS is away or refuses it. Try again in a minute; whoever runs this finds the reason in /readyz and the log.",
	unrecorded:   "It is silent, but that could not be recorded: the thread does not tell who did it.",

	noIncident: "✅ No incident is open.", oneIncident: "*One incident is open*", incidents: "*%d incidents are open*",
	since: "since %s", nobody: "nobody is on it yet", ackedBy: "%s is on it since %s", silentUntil: "silent until %s (%s)",
	silences: "*Silences*", silenceLine: "%s, %s: %s, by %s", from: "from %s", until: "until %s", allOperations: "all operations", allRules: "all rules",
	judged: "*Judged up to*", ago: "%s: %s ago", notJudged: "No operation has been judged yet.",
	unwell: "*Not well*", wellPhrase: "Everything else is well.", notes: "*Good to know*",
	unknownOperation: "There is no operation “%s”. I know: %s.",
	more:             "+%d more",
	help: "`/unconnected status` tells which incidents are open, who is on them, what is silent, and how far each operation was judged; " +
		"`/unconnected status OPERATION` tells that of one operation. Only you see the answer. " +
		"The buttons of a message take care of its incident, or silence it. `unconnected silence` does the same on the command line.",
}

var spanish = words{
	language: "es",

	unknown:    "Este incidente es tan antiguo que ya no se sabe nada de él.",
	over:       "Este incidente ya no está activo desde %s: no queda nada que hacer.",
	youAreOnIt: "Usted ya se encarga, desde %s.",
	isOnIt:     "%s ya se encarga, desde %s.",
	choose:     "No sé por cuánto tiempo: elija otra vez en el menú.",
	isSilent:   "Ya está en silencio hasta %s, por %s.",

	notMember:    "Solo los miembros de este canal pueden hacerlo: únase e intente de nuevo.",
	notOperator:  "Solo los miembros del grupo de usuarios de SLACK_OPERATORS pueden hacerlo.",
	notOfOurs:    "Solo los miembros de los canales donde se publican las alertas pueden preguntarlo.",
	cannotTell:   "Slack no dice ahora quién es miembro (%s), así que no se hizo nada: intente en un minuto.",
	missingScope: "No puedo preguntar a Slack quién es miembro, así que no se hizo nada: quien administra esto debe dar a la app los permisos de deploy/slack/manifest.yaml e instalarla de nuevo.",
	notStored:    "No se pudo guardar, así que no se hizo nada: NATS no está o lo rechaza. Intente en un minuto; quien administra esto encuentra la causa en /readyz y en el registro.",
	unrecorded:   "Está en silencio, pero no se pudo registrar: el hilo no dice quién lo hizo.",

	noIncident: "✅ No hay incidentes abiertos.", oneIncident: "*Hay un incidente abierto*", incidents: "*Hay %d incidentes abiertos*",
	since: "desde %s", nobody: "nadie se encarga todavía", ackedBy: "%s se encarga desde %s", silentUntil: "en silencio hasta %s (%s)",
	silences: "*Silencios*", silenceLine: "%s, %s: %s, por %s", from: "desde %s", until: "hasta %s", allOperations: "todas las operaciones", allRules: "todas las reglas",
	judged: "*Evaluado hasta*", ago: "%s: hace %s", notJudged: "Aún no se ha evaluado ninguna operación.",
	unwell: "*No está bien*", wellPhrase: "Todo lo demás está bien.", notes: "*Para tener en cuenta*",
	unknownOperation: "No hay una operación “%s”. Conozco: %s.",
	more:             "+%d más",
	help: "`/unconnected status` dice qué incidentes están abiertos, quién se encarga, qué está en silencio y hasta cuándo se evaluó cada operación; " +
		"`/unconnected status OPERACIÓN` lo dice de una operación. Solo usted ve la respuesta. " +
		"Los botones de un mensaje sirven para encargarse de su incidente o silenciarlo. `unconnected silence` hace lo mismo en la línea de comandos.",
}
