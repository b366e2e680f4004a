package resp

import "bytes"

// Token says what the bytes are that Scanner.Next reports.
type Token uint8

// The tokens. A multibulk command is Begin, any number of Part, End; Begin may
// be told before the command is whole, so that payload need not be kept.
const (
	More   Token = iota // nothing yet: call again with these bytes and more
	Drop                // no part of a command; forward nothing of it
	Begin               // a command's first words; Argc, Name and Sub are set
	Part                // more of the same command
	End                 // the rest of the same command
	Inline              // a whole inline command; its words are in Line
)

// Scanner finds the commands in what a client sends. The zero value is ready.
type Scanner struct {
	// BeforeLogin turns on the limits for clients that have not logged in.
	BeforeLogin bool
	// HasSub says of which commands the second word is wanted too.
	HasSub func(name []byte) bool
	// Of the command that Begin told of. Name and Sub are part of the bytes
	// given to Next, and nil when they are longer than any command's.
	Argc int
	Name []byte
	Sub  []byte
	Line Args
	// Unexpected is the byte where an error says that '$' was expected.
	Unexpected byte

	left   int   // arguments whose end has not been seen
	bulk   int64 // bytes of the current argument to come, its line end included
	line   int   // bytes of an inline command that were searched already
	gather *Args // receives the current command's arguments, if set
	broken broken
}

// broken is a length line that can no longer become valid; the engines refuse
// it only once it ends or becomes too long.
type broken struct {
	on      bool
	endless bool          // a zero byte came: the engines never see the line's end
	seen    int           // bytes so far
	ended   ProtocolError // the answer when the line ends
	tooLong ProtocolError
}

// Inside reports whether a command has begun and not ended.
func (s *Scanner) Inside() bool { return s.left > 0 }

// Next looks at buf, which begins with the first byte that no token has
// covered, and reports the next token and its length; callers call it until it
// says More, with no bytes too, because the last End may have none. After an
// error the stream cannot be read further.
func (s *Scanner) Next(buf []byte) (Token, int, error) {
	switch {
	case s.bulk == ended:
		s.left, s.bulk = 0, 0
		return End, 0, nil
	case len(buf) == 0:
		return More, 0, nil
	case s.broken.on:
		return s.skipBroken(buf)
	case s.left > 0:
		return s.body(buf)
	case buf[0] == '*':
		return s.begin(buf)
	default:
		return s.inline(buf)
	}
}

// Gather keeps the words of the command that Begin just told of in args, at
// most budget bytes of them.
func (s *Scanner) Gather(args *Args, budget int) {
	args.Reset(budget)
	s.gather = args
	if s.Name == nil {
		args.begin()
		return
	}
	args.Add(s.Name)
	switch {
	case s.Sub != nil:
		args.Add(s.Sub)
	case s.bulk > 0: // the scanner stands in a long second word
		args.begin()
	}
}

// begin reads a command's count, first word and, if wanted, second word.
func (s *Scanner) begin(buf []byte) (Token, int, error) {
	count, pos, ok := s.length(buf, ErrArgs, ErrArgsLine)
	if !ok {
		return More, 0, nil
	}
	switch {
	case s.broken.on:
		return s.skipBroken(buf)
	case pos < 0 || count > MaxArgs:
		return Drop, 0, ErrArgs
	case count > MaxArgsBeforeLogin && s.BeforeLogin:
		return Drop, 0, ErrArgsBeforeLogin
	case count <= 0:
		return Drop, pos, nil
	}
	return s.words(buf, pos, int(count))
}

func (s *Scanner) words(buf []byte, pos, count int) (Token, int, error) {
	name, n, tok, err := s.word(buf[pos:])
	if tok == More || err != nil {
		return s.unread(pos, err)
	}
	pos += n
	s.Argc, s.Name, s.Sub, s.gather = count, name, nil, nil
	if name == nil {
		s.left = count // the scanner stands in the first word
		return Begin, pos, nil
	}
	if count == 1 || s.HasSub == nil || !s.HasSub(name) {
		s.left = count - 1
		if s.left == 0 {
			return s.whole(pos)
		}
		return Begin, pos, nil
	}
	sub, n, tok, err := s.word(buf[pos:])
	if tok == More || err != nil {
		return s.unread(pos, err)
	}
	s.Sub = sub
	s.left = count - 1
	if sub != nil {
		s.left--
	}
	if s.left == 0 {
		return s.whole(pos + n)
	}
	return Begin, pos + n, nil
}

// whole makes Begin possible for a command that ends with it: End follows with
// no bytes.
func (s *Scanner) whole(n int) (Token, int, error) {
	s.left, s.bulk = 1, ended
	return Begin, n, nil
}

// ended stands in Scanner.bulk for an argument of which nothing is to come.
const ended = -1

// unread handles a first or second word that is not there yet or never will be.
func (s *Scanner) unread(pos int, err error) (Token, int, error) {
	switch {
	case err != nil:
		return Drop, 0, err
	case s.broken.on: // what follows is dropped, and so is the beginning
		return Drop, pos, nil
	}
	return More, 0, nil
}

// word reads one short argument. A longer one is left unread behind its length:
// word is nil then, and s.bulk counts it.
func (s *Scanner) word(buf []byte) (word []byte, n int, tok Token, err error) {
	size, n, tok, err := s.bulkLength(buf)
	if tok == More || err != nil {
		return nil, 0, tok, err
	}
	if size > nameMax {
		s.bulk = size + 2
		return nil, n, Part, nil
	}
	end := n + int(size)
	if len(buf) < end+2 {
		return nil, 0, More, nil
	}
	return buf[n:end:end], end + 2, Part, nil
}

// body consumes arguments as far as they are there.
func (s *Scanner) body(buf []byte) (Token, int, error) {
	pos := 0
	for pos < len(buf) {
		if s.bulk == 0 {
			size, n, tok, err := s.bulkLength(buf[pos:])
			if err != nil && pos == 0 {
				return Drop, 0, err
			}
			if err != nil || tok == More { // an error is told when all before it is consumed
				break
			}
			s.bulk = size + 2
			pos += n
			if s.gather != nil {
				s.gather.begin()
			}
		}
		pos += s.payload(buf[pos:])
		if s.bulk > 0 {
			break
		}
		if s.left--; s.left == 0 {
			return End, pos, nil
		}
	}
	switch {
	case pos > 0:
		return Part, pos, nil
	case s.broken.on:
		return s.skipBroken(buf)
	}
	return More, 0, nil
}

// payload consumes what is there of the current argument and its line end,
// whose two bytes the engines do not look at.
func (s *Scanner) payload(buf []byte) int {
	n := int(min(s.bulk, int64(len(buf))))
	if s.gather != nil {
		if content := min(int64(n), s.bulk-2); content > 0 {
			s.gather.extend(buf[:content])
		}
	}
	s.bulk -= int64(n)
	return n
}

// bulkLength reads an argument's length line.
func (s *Scanner) bulkLength(buf []byte) (size int64, n int, tok Token, err error) {
	if len(buf) == 0 {
		return 0, 0, More, nil
	}
	refusal := ErrBulk
	if buf[0] != '$' {
		refusal = errExpected(buf[0])
		s.Unexpected = buf[0]
	}
	size, n, ok := s.length(buf, refusal, ErrBulkLine)
	switch {
	case !ok || s.broken.on:
		return 0, 0, More, nil
	case n < 0 || buf[0] != '$' || size < 0 || size > MaxBulk:
		return 0, 0, Drop, refusal
	case size > MaxBulkBeforeLogin && s.BeforeLogin:
		return 0, 0, Drop, ErrBulkBeforeLogin
	}
	return size, n, Part, nil
}

// length reads the number between a line's first byte and its end, and the
// byte after the carriage return, which the engines do not look at. n is -1
// for what is no number. A line that cannot become valid sets s.broken.
func (s *Scanner) length(buf []byte, ended, tooLong ProtocolError) (v int64, n int, ok bool) {
	for i := 0; i < len(buf); i++ {
		switch {
		case buf[i] == '\r':
			if i+1 >= len(buf) {
				return 0, 0, false
			}
			v, ok := int64(0), false
			if i > 0 { // a line may begin with its end
				v, ok = ParseInt(buf[1:i])
			}
			if !ok {
				return 0, -1, true
			}
			return v, i + 2, true
		case buf[i] == 0 || i == lineMax:
			s.broken = broken{on: true, ended: ended, tooLong: tooLong}
			return 0, 0, true
		}
	}
	return 0, 0, false
}

func (s *Scanner) skipBroken(buf []byte) (Token, int, error) {
	b := &s.broken
	if !b.endless {
		end := bytes.IndexAny(buf, "\r\x00")
		switch {
		case end < 0:
		case buf[end] == 0:
			b.endless = true
		case end+1 < len(buf):
			return Drop, 0, b.ended
		default: // the byte after the carriage return is awaited
			b.seen += end
			return dropped(end)
		}
	}
	if b.seen += len(buf); b.seen > MaxInline {
		return Drop, 0, b.tooLong
	}
	return Drop, len(buf), nil
}

func dropped(n int) (Token, int, error) {
	if n == 0 {
		return More, 0, nil
	}
	return Drop, n, nil
}

// inline reads a command that is a line of words.
func (s *Scanner) inline(buf []byte) (Token, int, error) {
	end := bytes.IndexByte(buf[s.line:], '\n')
	if zero := bytes.IndexByte(buf[s.line:], 0); zero >= 0 && (end < 0 || zero < end) {
		// The engines look for the line's end with strchr and stop here.
		s.broken = broken{on: true, endless: true, tooLong: ErrInline}
		s.line = 0
		return s.skipBroken(buf)
	}
	if end < 0 {
		if s.line = len(buf); s.line > MaxInline {
			return Drop, 0, ErrInline
		}
		return More, 0, nil
	}
	end += s.line
	s.line = 0
	if end > MaxInline+1 {
		return Drop, 0, ErrInline
	}
	line := bytes.TrimSuffix(buf[:end], []byte{'\r'})
	s.Line.Reset(2 * wordCost * MaxInline) // a line fits: it has at most 32 Ki words
	if !splitLine(line, &s.Line) {
		return Drop, 0, ErrQuotes
	}
	if s.Line.Len() == 0 {
		return Drop, end + 1, nil
	}
	return Inline, end + 1, nil
}
