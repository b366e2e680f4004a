package acl

import (
	"slices"
	"strings"
)

// Restricted names the commands that a customer of a node-based cache may not
// use, whatever the access string says: "command" or "command|subcommand", in
// lower case. They are AWS's list (ElastiCache user guide, "Supported and restricted
// commands") and Gatehouse's additions, each with its reason.
func Restricted() []string { return slices.Clone(restrictedNames) }

var restrictedNames = slices.Concat(restrictedByAWS, restrictedHere)

var restrictedByAWS = []string{
	"acl|deluser", "acl|load", "acl|save", "acl|setuser",
	"bgrewriteaof", "bgsave",
	"cluster|addslots", "cluster|addslotsrange", "cluster|bumpepoch", "cluster|delslots",
	"cluster|delslotsrange", "cluster|failover", "cluster|flushslots", "cluster|forget",
	"cluster|links", "cluster|meet", "cluster|setslot",
	"config", "debug", "migrate", "psync", "replicaof", "save", "shutdown", "slaveof", "sync",
}

var restrictedHere = []string{
	// They change the topology that Gatehouse keeps, like AWS's own.
	"cluster|replicate", "cluster|reset", "cluster|saveconfig", "cluster|set-config-epoch", "failover",
	// It speaks for a replica: it can move a replica's offset, and a connection
	// that announces itself as one is no longer request and reply.
	"replconf",
	// It loads machine code into the engine.
	"module",
	// It stops the whole engine (SYNC) or forks it (YES), and its dialogue is not RESP.
	"script|debug",
}

// isAddition reports whether the list has the command from Gatehouse, not AWS.
func isAddition(command, sub string) bool {
	return slices.Contains(restrictedHere, command) || slices.Contains(restrictedHere, command+"|"+sub)
}

// restrictedEntry is one command of the list; no subs means all of it.
type restrictedEntry struct {
	name string
	subs []string
}

// longestRestricted bounds the names that need looking at.
const longestRestricted = 16

// restrictedByLength is the list by the length of the command's name, so that
// for a common command like GET one comparison answers.
var restrictedByLength = func() (table [longestRestricted + 1][]restrictedEntry) {
	for _, full := range restrictedNames {
		name, sub, has := strings.Cut(full, "|")
		bucket := &table[len(name)]
		if !has {
			*bucket = append(*bucket, restrictedEntry{name: name})
			continue
		}
		if n := len(*bucket); n > 0 && (*bucket)[n-1].name == name {
			(*bucket)[n-1].subs = append((*bucket)[n-1].subs, sub)
			continue
		}
		*bucket = append(*bucket, restrictedEntry{name, []string{sub}})
	}
	return table
}()

// IsRestricted reports whether name, or its subcommand sub, is in the list; sub
// is the command's second word, nil if there is none. Case does not matter. It
// does not allocate: the gateway asks for every request.
func IsRestricted(name, sub []byte) bool {
	if len(name) > longestRestricted {
		return false
	}
	for i := range restrictedByLength[len(name)] {
		entry := &restrictedByLength[len(name)][i]
		if !equalFold(name, entry.name) {
			continue
		}
		if entry.subs == nil {
			return true
		}
		for _, s := range entry.subs {
			if equalFold(sub, s) {
				return true
			}
		}
	}
	return false
}

// equalFold compares in ASCII; lower is in lower case.
func equalFold(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
