package resp

// splitLine divides an inline command into words by the engines' quoting rules
// (sds.c, sdssplitargs). It reports false for unbalanced quotes.
func splitLine(line []byte, args *Args) bool {
	for i := 0; ; {
		for i < len(line) && isSpace(line[i]) {
			i++
		}
		if i == len(line) {
			return true
		}
		args.begin()
		next, ok := splitWord(line, i, args)
		if !ok {
			return false
		}
		i = next
	}
}

// splitWord reads the word that begins at i. Quotes may begin inside it; they
// end it.
func splitWord(line []byte, i int, args *Args) (next int, ok bool) {
	for ; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\n', '\r', '\t':
			return i + 1, true
		case '"', '\'':
			return splitQuoted(line, i+1, c, args)
		default:
			args.extend(line[i : i+1])
		}
	}
	return i, true
}

func splitQuoted(line []byte, i int, quote byte, args *Args) (next int, ok bool) {
	for i < len(line) {
		c := line[i]
		if c == quote {
			i++
			return i, i == len(line) || isSpace(line[i])
		}
		width := 1
		if c == '\\' && i+1 < len(line) {
			c, width = unescape(line[i:], quote)
		}
		args.extend([]byte{c})
		i += width
	}
	return i, false
}

// unescape reads what stands for one byte. Between single quotes only the
// quote itself can be escaped.
func unescape(text []byte, quote byte) (c byte, width int) {
	if quote == '\'' {
		if text[1] == '\'' {
			return '\'', 2
		}
		return '\\', 1
	}
	if text[1] == 'x' && len(text) >= 4 && isHex(text[2]) && isHex(text[3]) {
		return fromHex(text[2])<<4 | fromHex(text[3]), 4
	}
	switch text[1] {
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'b':
		return '\b', 2
	case 'a':
		return '\a', 2
	default:
		return text[1], 2
	}
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func fromHex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&7 + 9
}
