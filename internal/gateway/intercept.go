package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gatehouse/gatehouse/internal/acl"
	"github.com/gatehouse/gatehouse/internal/gateway/backend"
	"github.com/gatehouse/gatehouse/internal/gateway/resp"
)

// action is what a command means to the gateway.
type action uint8

const (
	pass action = iota // nothing: the engine's business
	actAuth
	actHello
	actReset
	actQuit
	actMulti
	actExec
	actRestricted
	actReply // CLIENT REPLY
	actKill  // CLIENT KILL
	actClients
	actUsers
	actUser
	actLog
	actDryRun
	actOther // only while there is no engine: whatever else it is
)

// hasSub says of which commands the second word matters.
func hasSub(name []byte) bool {
	switch len(name) {
	case 3:
		return isWord(name, "acl")
	case 6:
		return isWord(name, "client") || isWord(name, "script")
	case 7:
		return isWord(name, "cluster")
	}
	return false
}

// classify tells what a command means to the gateway. It is called for every
// command: the length of the name sorts out nearly all.
func classify(name, sub []byte, argc int) action {
	switch len(name) {
	case 3:
		if sub != nil && isWord(name, "acl") {
			return classifyACL(sub, argc)
		}
	case 4:
		switch name[0] | 0x20 {
		case 'a':
			if isWord(name, "auth") && (argc == 2 || argc == 3) {
				return actAuth
			}
		case 'e':
			if isWord(name, "exec") {
				return actExec
			}
		case 'q':
			if isWord(name, "quit") {
				return actQuit
			}
		}
	case 5:
		switch name[0] | 0x20 {
		case 'h':
			if isWord(name, "hello") && argc > 1 {
				return actHello
			}
		case 'm':
			if isWord(name, "multi") {
				return actMulti
			}
		case 'r':
			if isWord(name, "reset") && argc == 1 {
				return actReset
			}
		}
	case 6:
		if sub != nil && isWord(name, "client") {
			return classifyClient(sub, argc)
		}
	}
	if acl.IsRestricted(name, sub) {
		return actRestricted
	}
	return pass
}

func classifyACL(sub []byte, argc int) action {
	switch {
	case isWord(sub, "list"), isWord(sub, "users"):
		return actUsers
	case isWord(sub, "getuser") && argc == 3:
		return actUser
	case isWord(sub, "log"):
		return actLog
	case isWord(sub, "dryrun") && argc > 3:
		return actDryRun
	case acl.IsRestricted([]byte("acl"), sub):
		return actRestricted
	}
	return pass
}

func classifyClient(sub []byte, argc int) action {
	switch {
	case isWord(sub, "list"), isWord(sub, "info"):
		return actClients
	case isWord(sub, "kill") && argc > 2:
		return actKill
	case isWord(sub, "reply") && argc == 3:
		return actReply
	}
	return pass
}

// consume acts on everything that has been read.
func (s *session) consume() error {
	for {
		if !s.scan.Inside() {
			s.scan.BeforeLogin = s.be == nil && !s.isAnonymous()
		}
		token, n, err := s.scan.Next(s.buf[s.pos:s.end])
		if err != nil {
			return s.misread(err)
		}
		switch token {
		case resp.More:
			return s.forward()
		case resp.Drop:
			err = s.drop(n)
		case resp.Begin:
			err = s.begin(n)
		case resp.Part, resp.End:
			err = s.proceed(n, token == resp.End)
		case resp.Inline:
			err = s.inline(n)
		}
		if err != nil {
			return err
		}
	}
}

// drop leaves out bytes that are not to be forwarded.
func (s *session) drop(n int) error {
	err := s.forward()
	s.pos += n
	s.from = s.pos
	return err
}

// begin decides whether a command is forwarded as it comes or gathered first.
func (s *session) begin(n int) error {
	act := classify(s.scan.Name, s.scan.Sub, s.scan.Argc)
	if s.be == nil {
		if act = classifyFront(act, s.scan.Name); act == actOther && s.isAnonymous() {
			if err := s.enterAnonymously(nil); err != nil {
				return err
			}
			if s.be != nil {
				act = classify(s.scan.Name, s.scan.Sub, s.scan.Argc)
			}
		}
	}
	s.gathering = act
	if !s.forwarded() {
		s.scan.Gather(&s.args, budgets[act])
		return s.drop(n)
	}
	s.noteTransaction(act, s.scan.Argc)
	s.pos += n
	return nil
}

// classifyFront tells what a command means while no engine is involved: all
// forms of AUTH and HELLO are answered here then.
func classifyFront(act action, name []byte) action {
	switch {
	case isWord(name, "auth"):
		return actAuth
	case isWord(name, "hello"):
		return actHello
	case act == actReset, act == actQuit, act == actRestricted:
		return act
	}
	return actOther
}

// noteTransaction remembers that a transaction may be open. EXEC ends it
// whatever comes of it; DISCARD may be refused.
func (s *session) noteTransaction(act action, argc int) {
	switch {
	case act == actMulti:
		s.multi = true
	case act == actExec && argc == 1:
		s.multi = false
	}
}

// budgets are how many bytes of a gathered command are kept.
var budgets = [...]int{
	actAuth: keptOfLogin, actHello: keptOfLogin, actReset: keptOfRestricted, actQuit: keptOfRestricted,
	actRestricted: keptOfRestricted,
	actReply:      keptOfRestricted, actKill: resp.MaxKept, actClients: resp.MaxKept, actUsers: resp.MaxKept,
	actUser: resp.MaxKept, actLog: resp.MaxKept, actDryRun: resp.MaxKept,
	actOther: resp.MaxArgsBeforeLogin * (resp.MaxBulkBeforeLogin + 16),
}

// forwarded reports whether the command that is being read goes to the engine
// as it comes.
func (s *session) forwarded() bool {
	switch s.gathering {
	case pass, actMulti, actExec, actQuit:
		return s.be != nil
	}
	return false
}

// proceed goes on with the command that begin decided about.
func (s *session) proceed(n int, ends bool) error {
	if !s.forwarded() {
		if err := s.drop(n); err != nil || !ends {
			return err
		}
		if s.looped {
			s.owed = true
			return errOwnGoroutine
		}
		return s.act(s.gathering, s.args.Words(), s.args.Cut())
	}
	s.pos += n
	if !ends {
		return nil
	}
	s.count++
	s.skipOne = false
	if s.gathering == actQuit {
		return errors.Join(s.forward(), errDone)
	}
	return nil
}

// inline handles a command that is a line of words; the engine gets it in the
// other form.
func (s *session) inline(n int) error {
	if s.looped {
		return cmp.Or(s.forward(), errOwnGoroutine)
	}
	if err := s.drop(n); err != nil {
		return err
	}
	words := s.scan.Line.Words()
	act := classifyWords(words)
	if s.be == nil {
		return s.act(classifyFront(act, words[0]), words, false)
	}
	s.gathering = act
	if !s.forwarded() {
		return s.act(act, words, false)
	}
	s.noteTransaction(act, len(words))
	s.skipOne = false
	s.commands.Add(1)
	_, err := s.be.Write(resp.AppendCommand(nil, words...))
	if act == actQuit {
		return errDone
	}
	return s.engineFault(err)
}

func classifyWords(words [][]byte) action {
	var sub []byte
	if len(words) > 1 {
		sub = words[1]
	}
	return classify(words[0], sub, len(words))
}

// act carries out a command that means something to the gateway.
func (s *session) act(act action, words [][]byte, cut bool) error {
	s.commands.Add(1)
	if s.be == nil {
		return s.actInFront(act, words, cut)
	}
	switch {
	case act == actReset:
		return s.reset()
	case s.silent || s.skipOne:
		return s.actSilently(act, words, cut)
	case act == actHello && !cut && !readHello(words).auth:
		_, err := s.be.Write(resp.AppendCommand(nil, words...))
		return s.engineFault(err)
	}
	if err := s.halt(nil); err != nil {
		return err
	}
	aborted, err := s.inTransaction()
	if err != nil {
		return err
	}
	switch {
	case act == actRestricted:
		s.say("-" + backend.UnknownCommand(words) + "\r\n")
	case aborted:
		s.say(inMulti)
	case cut:
		s.say(tooLong)
	default:
		err = s.actHalted(act, words)
	}
	if err != nil {
		return err
	}
	return s.resume()
}

// actInFront carries out a command while no engine is involved.
func (s *session) actInFront(act action, words [][]byte, cut bool) error {
	if cut && act != actRestricted && act != actQuit {
		s.say(tooLong)
		return nil
	}
	if err := s.front(act, words); err != nil || len(s.out) < bufferSize {
		return err
	}
	return s.flush() // what many small commands are answered is not piled up
}

// actHalted carries out a command while the relay is halted.
func (s *session) actHalted(act action, words [][]byte) error {
	switch act {
	case actAuth:
		return s.authAgain(words)
	case actHello:
		return s.helloAgain(words)
	case actReply:
		return s.replyMode(words)
	case actKill:
		return s.killClients(words)
	case actClients:
		return s.rewrite(words, s.rewriteClients)
	case actUsers, actUser, actDryRun:
		return s.hideInternal(act, words)
	case actLog:
		return s.aclLog(words)
	}
	return fmt.Errorf("gateway: no way to carry out action %d", act)
}

// halt stops the relay behind everything that was sent so far, and behind
// command, which is sent too. It goes on reading what the client sends, so that
// the client's end is noticed even if the engine never gets so far.
func (s *session) halt(command []byte) error {
	s.relaying()
	m := backend.NewMarker()
	reached := s.relay.halt(m)
	if _, err := s.be.Write(append(command, m.Command()...)); err != nil {
		return errEngineGone
	}
	err := s.await(reached)
	_ = s.client.SetReadDeadline(time.Time{})
	s.halted = err == nil
	return err
}

func (s *session) await(reached <-chan struct{}) error {
	var patience <-chan time.Time
	for {
		select {
		case <-reached:
			return nil
		case <-s.relay.ended():
			return errEngineGone
		default:
		}
		if patience == nil && s.end < len(s.buf) {
			n, err := s.client.Read(s.buf[s.end:])
			s.end += n
			if errors.Is(err, io.EOF) { // the last commands may still be answered
				patience = time.After(lingerTimeout)
			}
			if err != nil && patience == nil && !isTimeout(err) {
				return err
			}
			continue
		}
		select {
		case <-reached:
			return nil
		case <-s.relay.ended():
			return errEngineGone
		case <-patience:
			return io.EOF
		}
	}
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// resume writes what was said and lets the replies go on: by the relay, or by a
// loop when the session is parked next.
func (s *session) resume() error {
	if err := s.flush(); err != nil {
		return err
	}
	s.halted = false
	if len(s.g.loops) > 0 {
		s.endRelay()
	} else {
		s.relay.resume()
	}
	return nil
}

// inTransaction reports whether the marker that was just answered aborted a
// transaction. Only the engine knows for sure: MULTI may have been refused.
func (s *session) inTransaction() (bool, error) {
	if !s.multi {
		return false, nil
	}
	line, err := s.clientLine()
	if err != nil {
		return true, nil // refusing is the safe side
	}
	s.multi = field(line, "multi") != "-1"
	return s.multi, nil
}

// protocolError answers what no engine understands, after everything before it
// has been answered, and ends the session.
func (s *session) protocolError(fault error) error {
	text := "-ERR " + fault.Error() + "\r\n"
	switch {
	case s.be == nil:
		s.say(text)
		return errDone
	case s.scan.Inside() && s.forwarded():
		return s.breakCommand(fault)
	}
	if err := s.forward(); err != nil {
		return err
	}
	if s.silent || s.skipOne {
		return errDone
	}
	if err := s.halt(nil); err != nil {
		return err
	}
	s.say(text)
	return errDone
}

// breakCommand makes the engine itself refuse a command of which it has got
// the beginning already, by sending something that has the same fault.
func (s *session) breakCommand(fault error) error {
	if err := s.forward(); err != nil {
		return err
	}
	bad := []byte("$-1\r\n")
	switch fault {
	case resp.ErrBulk:
	case resp.ErrBulkLine:
		bad = make([]byte, resp.MaxInline+2)
	default:
		bad = []byte{s.scan.Unexpected, '\r', '\n'}
	}
	if _, err := s.be.Write(bad); err != nil {
		return errEngineGone
	}
	return errDone
}
