package gateway

import (
	"slices"

	"github.com/gatehouse/gatehouse/internal/gateway/resp"
)

// replyMode handles CLIENT REPLY. While replies are off the engine answers no
// marker, so the gateway must know the mode. Whether the user may change it is
// learnt from CLIENT REPLY ON, which changes nothing here and needs the same
// permission. The relay is halted.
func (s *session) replyMode(words [][]byte) error {
	off, skip := isWord(words[2], "off"), isWord(words[2], "skip")
	if !off && !skip {
		return s.passThrough(words)
	}
	refused, err := s.engineRefuses("CLIENT", "REPLY", "ON")
	if refused || err != nil {
		return err
	}
	s.silent, s.skipOne = off, skip
	_, err = s.be.Write(resp.AppendCommand(nil, words...))
	return s.engineFault(err)
}

// replyModeSilently handles CLIENT REPLY while replies are off. The answer to
// the marker shows when they are on again.
func (s *session) replyModeSilently(words [][]byte) error {
	command := resp.AppendCommand(nil, words...)
	if !s.silent || !isWord(words[2], "on") {
		// The mode was set a moment ago, so the user may set it.
		s.skipOne = !s.silent && isWord(words[2], "skip")
		s.silent = s.silent || isWord(words[2], "off")
		_, err := s.be.Write(command)
		return s.engineFault(err)
	}
	if err := s.halt(command); err != nil {
		return err
	}
	s.silent = false
	return s.resume()
}

// passThrough lets the engine answer a command. The relay is halted.
func (s *session) passThrough(words [][]byte) error {
	return s.rewrite(words, func(v resp.Value) resp.Value { return v })
}

// rewrite lets the engine answer a command and changes the answer on the way.
// What the engine pushes meanwhile is passed on as it is.
func (s *session) rewrite(words [][]byte, change func(resp.Value) resp.Value) error {
	values, err := s.be.Exchange(resp.AppendCommand(nil, words...))
	if err != nil {
		return errEngineGone
	}
	refused := slices.ContainsFunc(values, func(v resp.Value) bool { return v.Kind == '-' })
	for _, v := range values {
		if !refused && !isPush(v) {
			v = change(v)
		}
		s.sayValue(v)
	}
	return nil
}
