package gateway

import (
	"cmp"
	"errors"
)

// errOwnGoroutine says that a session needs its own goroutine to go on.
var errOwnGoroutine = errors.New("a command is not the event loop's")

// actOnOwn does what a loop has left to the session's goroutine. Of an inline
// command it has left everything.
func (s *session) actOnOwn() error {
	owed, fault := s.owed, s.fault
	s.owed, s.fault = false, nil
	switch {
	case owed:
		return s.act(s.gathering, s.args.Words(), s.args.Cut())
	case fault != nil:
		return s.protocolError(fault)
	}
	return nil
}

// misread ends a session that the scanner cannot follow.
func (s *session) misread(fault error) error {
	if !s.looped {
		return s.protocolError(fault)
	}
	s.fault = fault
	return cmp.Or(s.forward(), errOwnGoroutine)
}
