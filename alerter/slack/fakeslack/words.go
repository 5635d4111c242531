package fakeslack

// words are what the page itself says.
type words struct {
	Lang       string
	Title      string // beside the name
	StandIn    string // before the first variable
	And        string // between the two
	Channels   string
	Connecting string
	Live       string
	Lost       string
	Compose    string // label of the box
	Message    string // in the box, before the channel
	Or         string // in the box, after the channel
	Send       string
	Nothing    string
	Soon       string
	Reply      string
	Replies    string
	Last       string
	Private    string
	RepliedTo  string
	Gone       string
	Edited     string
	Choose     string
	More       string
	Off        string
	Today      string

	NoSocket, NotAcked, Failed, Silent string // problems
}

var english = words{
	Lang: "en", Title: "Slack preview",
	StandIn: "A stand-in for Slack: nothing here leaves this computer. To post to your own workspace, set", And: "and",
	Channels: "Channels", Connecting: "connecting…", Live: "live", Lost: "not connected",
	Compose: "Message or command", Message: "Message", Or: "or", Send: "Send",
	Nothing: "Nothing here yet", Soon: "When something is wrong with the calls, a message appears here by itself, just as it would in Slack.",
	Reply: "reply", Replies: "replies", Last: "last at", Private: "Only visible to you",
	RepliedTo: "replied to a thread:", Gone: "a message that is gone", Edited: "(edited)",
	Choose: "Choose", More: "More", Off: "Works when the app is connected by Socket Mode", Today: "Today",
	NoSocket: "Nothing happened: the app is not connected by Socket Mode.", NotAcked: "The app did not answer within three seconds.",
	Failed: "This did not work:", Silent: "The server does not answer:",
}

var spanish = words{
	Lang: "es", Title: "vista previa de Slack",
	StandIn: "En lugar de Slack: nada de esto sale de este equipo. Para publicar en su propio espacio de trabajo, defina", And: "y",
	Channels: "Canales", Connecting: "conectando…", Live: "en vivo", Lost: "sin conexión",
	Compose: "Mensaje o comando", Message: "Mensaje a", Or: "o", Send: "Enviar",
	Nothing: "Aún no hay nada", Soon: "Cuando algo ande mal con las llamadas, aparecerá aquí un mensaje, tal como en Slack.",
	Reply: "respuesta", Replies: "respuestas", Last: "la última a las", Private: "Solo visible para usted",
	RepliedTo: "respondió en un hilo:", Gone: "un mensaje que ya no está", Edited: "(editado)",
	Choose: "Elegir", More: "Más", Off: "Funciona cuando la aplicación está conectada por Socket Mode", Today: "Hoy",
	NoSocket: "No pasó nada: la aplicación no está conectada por Socket Mode.", NotAcked: "La aplicación no respondió en tres segundos.",
	Failed: "No funcionó:", Silent: "El servidor no responde:",
}

// words are those of the page's language.
func (s *Server) words() *words {
	if s.options.Language == "es" {
		return &spanish
	}
	return &english
}
