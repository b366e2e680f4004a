package resp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// read runs the scanner over input in chunks of the given size and returns the
// commands, what may be forwarded, and the error that ended it.
func read(t testing.TB, input []byte, chunk int, beforeLogin bool) (commands [][]string, forward []byte, err error) {
	t.Helper()
	s := Scanner{BeforeLogin: beforeLogin, HasSub: func(name []byte) bool { return strings.EqualFold(string(name), "client") }}
	var args Args
	var buf []byte
	for len(input) > 0 {
		n := min(chunk, len(input))
		buf = append(buf, input[:n]...)
		input = input[n:]
		for {
			tok, n, err := s.Next(buf)
			if err != nil {
				return commands, forward, err
			}
			if tok == More {
				break
			}
			switch tok {
			case Begin:
				s.Gather(&args, MaxKept)
			case Inline:
				commands = append(commands, texts(&s.Line))
				forward = AppendCommand(forward, s.Line.Words()...)
			case End:
				commands = append(commands, texts(&args))
			}
			if tok == Begin || tok == Part || tok == End {
				forward = append(forward, buf[:n]...)
			}
			buf = buf[n:]
		}
	}
	return commands, forward, nil
}

func texts(a *Args) []string {
	var out []string
	for _, w := range a.Words() {
		out = append(out, string(w))
	}
	return out
}

var long = strings.Repeat("x", 70000)

var scans = []struct {
	name, input string
	want        string // commands, each as %q
	err         error
	beforeLogin bool
}{
	{"one", "*1\r\n$4\r\nPING\r\n", `["PING"]`, nil, false},
	{"two", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n", `["GET" "k"] ["PING"]`, nil, false},
	{"sub", "*3\r\n$6\r\nclient\r\n$4\r\nlist\r\n$1\r\nx\r\n", `["client" "list" "x"]`, nil, false},
	{"long sub", "*2\r\n$6\r\nclient\r\n$40\r\n" + long[:40] + "\r\n", `["client" "` + long[:40] + `"]`, nil, false},
	{"long name", "*2\r\n$40\r\n" + long[:40] + "\r\n$1\r\na\r\n", `["` + long[:40] + `" "a"]`, nil, false},
	{"empty arguments", "*2\r\n$0\r\n\r\n$0\r\n\r\n", `["" ""]`, nil, false},
	{"nothing", "*0\r\n*-1\r\n*-77\r\n\r\n  \r\n\n", ``, nil, false},
	{"line ends are not looked at", "*1\rx$4\rxPINGxx*1\r\n$4\r\nPONG\r\n", `["PING"] ["PONG"]`, nil, false},
	{"binary", "*2\r\n$3\r\nSET\r\n$4\r\n\x00\r\n\xff\r\n", `["SET" "\x00\r\n\xff"]`, nil, false},

	{"count with letters", "*1x\r\n", ``, ErrArgs, false},
	{"count with plus", "*+1\r\n", ``, ErrArgs, false},
	{"count with leading zero", "*01\r\n", ``, ErrArgs, false},
	{"count with a blank", "* 1\r\n", ``, ErrArgs, false},
	{"no count", "*\r\n", ``, ErrArgs, false},
	{"count too big", "*2147483648\r\n", ``, ErrArgs, false},
	{"count beyond 64 bits", "*99999999999999999999\r\n", ``, ErrArgs, false},
	{"count of many digits", "*" + strings.Repeat("1", 60) + "\r\n", ``, ErrArgs, false},
	{"count without end", "*" + strings.Repeat("1", 66000), ``, ErrArgsLine, false},
	{"count with a zero byte", "*1\x00\r\n*1\r\n$4\r\nPING\r\n" + strings.Repeat("1", 66000), ``, ErrArgsLine, false},
	{"length negative", "*1\r\n$-1\r\n", ``, ErrBulk, false},
	{"length too big", "*1\r\n$536870913\r\n", ``, ErrBulk, false},
	{"length with letters", "*2\r\n$1\r\na\r\n$1a\r\n", ``, ErrBulk, false},
	{"length of many digits", "*2\r\n$1\r\na\r\n$" + strings.Repeat("1", 60) + "\r\n", ``, ErrBulk, false},
	{"length without end", "*1\r\n$" + strings.Repeat("1", 66000), ``, ErrBulkLine, false},
	{"second length without end", "*2\r\n$1\r\na\r\n$" + strings.Repeat("1", 66000), ``, ErrBulkLine, false},
	{"no dollar", "*1\r\n:4\r\n", ``, ProtocolError("expected '$', got ':'"), false},
	{"no dollar in a long line", "*1\r\n:" + strings.Repeat("1", 60) + "\r\n", ``, ProtocolError("expected '$', got ':'"), false},
	{"empty line for a length", "*1\r\n\r\n\r\n", ``, ProtocolError("expected '$', got ' '"), false},
	{"after a command", "*1\r\n$4\r\nPING\r\n*x\r\n", `["PING"]`, ErrArgs, false},

	{"ten before login", "*10\r\n" + strings.Repeat("$1\r\na\r\n", 10), `["a" "a" "a" "a" "a" "a" "a" "a" "a" "a"]`, nil, true},
	{"eleven before login", "*11\r\n", ``, ErrArgsBeforeLogin, true},
	{"16384 before login", "*1\r\n$16384\r\n" + long[:16384] + "\r\n", `["` + long[:16384] + `"]`, nil, true},
	{"16385 before login", "*1\r\n$16385\r\n", ``, ErrBulkBeforeLogin, true},

	{"inline", "set a b\r\nget  a \n", `["set" "a" "b"] ["get" "a"]`, nil, false},
	{"inline of many words before login", "a b c d e f g h i j k l\r\n", `["a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k" "l"]`, nil, true},
	{"quotes", `set "a b" 'c d' "\x41\n\"\q" 'it\'s \n'` + "\r\n", `["set" "a b" "c d" "A\n\"q" "it's \\n"]`, nil, false},
	{"quotes inside a word", `se"t" x` + "\r\n", `["set" "x"]`, nil, false},
	{"empty quotes", `echo ""` + "\r\n", `["echo" ""]`, nil, false},
	{"carriage return in a line", "get a\rb\n", `["get" "a" "b"]`, nil, false},
	{"vertical tab in a word", "\vget a\vb\n", `["get" "a\vb"]`, nil, false},
	{"open quote", "set \"a\r\n", ``, ErrQuotes, false},
	{"open single quote", "set 'a\\\r\n", ``, ErrQuotes, false},
	{"text after a quote", "set \"a\"b\r\n", ``, ErrQuotes, false},
	{"line of 64 KiB", long[:65536] + "\r\n", `["` + long[:65536] + `"]`, nil, false},
	{"line too long", long, ``, ErrInline, false},
	{"zero byte in a line", "a\x00b\r\nPING\r\n", ``, nil, false},
	{"zero byte in a line that grows", "a\x00b\r\n" + long, ``, ErrInline, false},
}

func TestScan(t *testing.T) {
	for _, tc := range scans {
		t.Run(tc.name, func(t *testing.T) {
			for _, chunk := range []int{1, 2, 3, 7, 64, 16384, 1 << 20} {
				if chunk < 7 && len(tc.input) > 1000 && tc.name != "line too long" {
					continue
				}
				commands, _, err := read(t, []byte(tc.input), chunk, tc.beforeLogin)
				if got := show(commands); got != tc.want || !errors.Is(err, tc.err) {
					t.Fatalf("in chunks of %d: %.200s and %v, want %.200s and %v", chunk, got, err, tc.want, tc.err)
				}
			}
		})
	}
}

func show(commands [][]string) string {
	var out []string
	for _, c := range commands {
		out = append(out, fmt.Sprintf("%q", c))
	}
	return strings.Join(out, " ")
}

func TestForwardedBytesAreTheClients(t *testing.T) {
	input := "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*0\r\n\r\n*1\r\n$4\r\nPING\r\n"
	want := "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n"
	for chunk := 1; chunk <= len(input); chunk++ {
		if _, forward, _ := read(t, []byte(input), chunk, false); string(forward) != want {
			t.Fatalf("chunks of %d: forwards %q", chunk, forward)
		}
	}
}

// FuzzScan: however the bytes arrive, the commands are the same; and what is
// forwarded of whole commands reads as those same commands.
func FuzzScan(f *testing.F) {
	for _, tc := range scans {
		if len(tc.input) < 1000 {
			f.Add([]byte(tc.input), uint8(3), tc.beforeLogin)
		}
	}
	f.Fuzz(func(t *testing.T, input []byte, chunk uint8, beforeLogin bool) {
		whole, forward, err := read(t, input, len(input)+1, beforeLogin)
		cut, forwardCut, errCut := read(t, input, int(chunk)+1, beforeLogin)
		if show(whole) != show(cut) || !errors.Is(errCut, err) {
			t.Fatalf("in chunks of %d: %s (%v), whole: %s (%v)", int(chunk)+1, show(cut), errCut, show(whole), err)
		}
		if !bytes.HasPrefix(forward, forwardCut) && !bytes.HasPrefix(forwardCut, forward) {
			t.Fatalf("chunks change what is forwarded: %q, %q", forward, forwardCut)
		}
		again, _, _ := read(t, forward, len(forward)+1, false)
		if show(again) != show(whole) {
			t.Fatalf("forwarded %q reads as %s, was %s", forward, show(again), show(whole))
		}
		var encoded []byte
		for _, words := range whole {
			encoded = AppendCommand(encoded, words...)
		}
		if again, _, err := read(t, encoded, len(encoded)+1, false); show(again) != show(whole) || err != nil {
			t.Fatalf("re-encoded commands read as %s (%v), were %s", show(again), err, show(whole))
		}
	})
}

func FuzzValue(f *testing.F) {
	for _, seed := range []string{"+OK\r\n", "$-1\r\n", "*2\r\n:1\r\n$1\r\na\r\n", "%1\r\n+a\r\n,1.5\r\n", "=5\r\ntxt:a\r\n", "~1\r\n_\r\n", ">1\r\n#t\r\n", "*-1\r\n", "*1\r\n*1\r\n*1\r\n$0\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		v, n, err := ParseValue(input)
		if err != nil {
			return
		}
		if n > len(input) {
			t.Fatalf("a reply of %d bytes in %d", n, len(input))
		}
		again, _, err := ParseValue(v.Append(nil))
		if err != nil || !bytes.Equal(again.Append(nil), v.Append(nil)) {
			t.Fatalf("%q does not survive (%v)", input[:n], err)
		}
		if _, _, err := ParseValue(v.Append(nil)[:len(v.Append(nil))-1]); !errors.Is(err, ErrShort) {
			t.Fatalf("a reply without its last byte: %v", err)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	input := bytes.Repeat([]byte("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$64\r\n"+strings.Repeat("v", 64)+"\r\n"), 16)
	s := Scanner{HasSub: func(name []byte) bool { return len(name) == 6 && name[0] == 'c' }}
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	for b.Loop() {
		for pos := 0; pos < len(input); {
			_, n, _ := s.Next(input[pos:])
			pos += n
			if !s.Inside() && pos == len(input) {
				break
			}
		}
	}
}
