package backend

import (
	"strings"

	"github.com/gatehouse/gatehouse/internal/gateway/resp"
)

// Table is what an engine says of its commands: enough to answer a client that
// has not logged in as the engine would.
type Table struct {
	// HelloNoAuth is the engine's error for HELLO without AUTH before login.
	HelloNoAuth string

	commands map[string]command
}

type command struct {
	arity int64 // as in COMMAND: negative for "at least"
	subs  map[string]int64
}

// newTable reads the reply to COMMAND (RESP2): name, arity, flags, first key,
// last key, step, categories, tips, key specifications, subcommands.
func newTable(reply resp.Value) *Table {
	const nameAt, arityAt, subsAt = 0, 1, 9
	t := &Table{commands: make(map[string]command, len(reply.Elems))}
	for i := range reply.Elems {
		row := reply.Elems[i].Elems
		if len(row) <= arityAt {
			continue
		}
		c := command{arity: row[arityAt].Int()}
		if len(row) > subsAt && len(row[subsAt].Elems) > 0 {
			c.subs = map[string]int64{}
			for j := range row[subsAt].Elems {
				sub := row[subsAt].Elems[j].Elems
				_, name, _ := strings.Cut(string(sub[nameAt].Text), "|")
				c.subs[name] = sub[arityAt].Int()
			}
		}
		t.commands[string(row[nameAt].Text)] = c
	}
	return t
}

// Fault returns the error that the engine has for these words before it asks
// who the client is: unknown command, unknown subcommand or wrong number of
// arguments. It returns "" for none.
func (t *Table) Fault(words [][]byte) string {
	name := strings.ToLower(string(words[0]))
	c, known := t.commands[name]
	if !known {
		return UnknownCommand(words)
	}
	arity, full := c.arity, name
	if c.subs != nil && len(words) > 1 {
		sub := strings.ToLower(string(words[1]))
		if arity, known = c.subs[sub]; !known {
			return "ERR unknown subcommand '" + clean(words[1], 128) + "'. Try " + strings.ToUpper(name) + " HELP."
		}
		full += "|" + sub
	}
	if n := int64(len(words)); arity > 0 && n != arity || n < -arity {
		return "ERR wrong number of arguments for '" + full + "' command"
	}
	return ""
}

// UnknownCommand is the engines' error for a command they do not have
// (server.c, commandCheckExistence), without the leading minus.
func UnknownCommand(words [][]byte) string {
	const most = 128 // bytes of the name, and of the arguments together
	var args strings.Builder
	for _, word := range words[1:] {
		if args.Len() >= most {
			break
		}
		args.WriteString("'" + clean(word, most-args.Len()) + "' ")
	}
	return "ERR unknown command '" + clean(words[0], most) + "', with args beginning with: " + args.String()
}

// clean cuts text as C's %.*s does and keeps line ends out of an error line.
func clean(text []byte, most int) string {
	s, _, _ := strings.Cut(string(text[:min(len(text), most)]), "\x00")
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
}
