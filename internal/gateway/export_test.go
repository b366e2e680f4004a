package gateway

// Portable makes a gateway serve all sessions with goroutines, as it does where
// there are no event loops. It is for a gateway that does not run yet.
func (g *Gateway) Portable() { g.portable = true }
