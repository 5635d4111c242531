package simulator

import (
	"html/template"
	"net/http"
	"time"
)

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Simulated Wolkvox API</title>
<h1>Simulated Wolkvox API</h1>
<p>Unconnected calls of an operation that does not exist. Its clock shows {{.Clock}} ({{.Zone}}).
Try the last five minutes:</p>
<pre>curl -H 'wolkvox-token: {{.Token}}' \
  'http://{{.Host}}/api/v2/reports_manager.php?api=cdr_6&amp;date_ini={{.From}}&amp;date_end={{.To}}'</pre>
<p>and what is left of the day's requests:</p>
<pre>curl -H 'wolkvox-token: {{.Token}}' 'http://{{.Host}}/api/v2/information.php?api=token_info'</pre>
<p>A producer finds it with WOLKVOX_BASE_URL=http://{{.Host}}/api/v2, WOLKVOX_TOKEN={{.Token}} and
WOLKVOX_TIMEZONE={{.Zone}}.</p>
</html>
`))

// servePage tells a person what this is and how to try it. The token is shown:
// it opens nothing but the simulation.
func (s *Simulator) servePage(w http.ResponseWriter, r *http.Request) {
	now := s.options.Clock().In(s.options.Location)
	s.mu.Lock()
	token := ""
	if len(s.tokens) > 0 {
		token = s.tokens[0]
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// An error here means that the browser is gone.
	_ = page.Execute(w, map[string]string{
		"Clock": now.Format("2006-01-02 15:04:05"),
		"Zone":  s.options.Location.String(),
		"Host":  r.Host,
		"Token": token,
		"From":  now.Add(-5 * time.Minute).Format(wallClock),
		"To":    now.Add(-time.Second).Format(wallClock),
	})
}
