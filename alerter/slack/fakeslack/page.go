package fakeslack

import "net/http"

// Page shows.
func (s *Server) Page() http.Handler { return http.NotFoundHandler() }
