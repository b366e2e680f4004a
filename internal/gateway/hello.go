package gateway

import (
	"bytes"
	"strings"

	"github.com/gatehouse/gatehouse/internal/gateway/backend"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
)

// hello is a HELLO that was read whole before any of it takes effect.
type hello struct {
	protocol int // 0 when it is not given
	auth     bool
	user     string
	secret   []byte
	name     []byte // nil when it is not given
	fault    string // the engines' error; nothing takes effect then
}

// readHello reads a HELLO by the rules of networking.c, helloCommand.
func readHello(words [][]byte) hello {
	var h hello
	if len(words) == 1 {
		return h
	}
	version, isNumber := resp.ParseInt(words[1])
	switch {
	case !isNumber:
		return hello{fault: "ERR Protocol version is not an integer or out of range"}
	case version < 2 || version > 3:
		return hello{fault: "NOPROTO unsupported protocol version"}
	}
	h.protocol = int(version)
	for rest := words[2:]; len(rest) > 0; {
		switch {
		case isWord(rest[0], "auth") && len(rest) > 2:
			h.auth, h.user, h.secret = true, string(rest[1]), rest[2]
			rest = rest[3:]
		case isWord(rest[0], "setname") && len(rest) > 1:
			if !isClientName(rest[1]) {
				h.fault = "ERR Client names cannot contain spaces, newlines or special characters."
				return h
			}
			h.name = rest[1]
			rest = rest[2:]
		default:
			h.fault = "ERR Syntax error in HELLO option '" + oneLine(rest[0]) + "'"
			return h
		}
	}
	return h
}

// firstHello handles HELLO while no engine is involved.
func (s *session) firstHello(words [][]byte) error {
	h := readHello(words)
	switch {
	case h.fault != "":
		s.say("-" + h.fault + "\r\n")
		return nil
	case h.auth:
		return s.logIn(string(words[0]), h.user, h.secret, backend.Login{Protocol: h.protocol, Name: h.name, Greet: true}, "")
	case s.isAnonymous():
		return s.enterAnonymously(words)
	}
	text := helloNoAuth
	if table := s.table(); table != nil {
		text = table.HelloNoAuth
	}
	s.say("-" + text + "\r\n")
	return nil
}

// isClientName reports whether CLIENT SETNAME takes the name.
func isClientName(name []byte) bool {
	for _, c := range name {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}

// isWord compares with a keyword in lower case.
func isWord(text []byte, word string) bool {
	return len(text) == len(word) && bytes.EqualFold(text, []byte(word))
}

// oneLine is text as the engines put it into an error line.
func oneLine(text []byte) string {
	text, _, _ = bytes.Cut(text, []byte{0})
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(string(text))
}
