package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/internal/directory"
)

// settingNames are the parameters that a parameter group may give an engine.
// Others could open a port, name a file, load code or weaken the ACL.
var settingNames = []string{
	"active-expire-effort", "activerehashing", "databases",
	"hash-max-listpack-entries", "hash-max-listpack-value", "hll-sparse-max-bytes",
	"latency-tracking", "lazyfree-lazy-eviction", "lazyfree-lazy-expire",
	"lazyfree-lazy-server-del", "lazyfree-lazy-user-del", "lazyfree-lazy-user-flush",
	"lfu-decay-time", "lfu-log-factor", "list-compress-depth", "list-max-listpack-size",
	"maxmemory", "maxmemory-clients", "maxmemory-policy", "maxmemory-samples",
	"notify-keyspace-events", "set-max-intset-entries",
	"slowlog-log-slower-than", "slowlog-max-len",
	"stream-node-max-bytes", "stream-node-max-entries", "timeout", "tracking-table-max-keys",
	"zset-max-listpack-entries", "zset-max-listpack-value",
}

// maxSetting bounds a value; the longest sensible one is a short word.
const maxSetting = 128

func checkSettings(settings map[string]string) error {
	for name, value := range settings {
		if !slices.Contains(settingNames, name) {
			return fmt.Errorf("the parameter %q may not be set", name)
		}
		odd := func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }
		if len(value) > maxSetting || strings.ContainsFunc(value, odd) {
			return fmt.Errorf("the parameter %q has a value that is too long or has characters that are not allowed", name)
		}
	}
	return nil
}

// configuration is what the engine reads from its standard input. So it is in
// no file, on no command line, and INFO shows no path of it.
func configuration(spec Spec, adminDigest string, replication []string) string {
	lines := []string{
		"port 0",
		`proc-title-template "{title} gatehouse ` + spec.Name + `"`,
		"dir .", // the process is started in it
		// Relative, so that MONITOR, SLOWLOG and CLIENT LIST show just this word.
		"unixsocket " + socketName,
		"unixsocketperm 600",
		"appendonly yes",
		"appendfsync everysec",
		`save ""`, // the AOF is the one copy on disk
		"enable-debug-command no",
		"enable-module-command no",
		"enable-protected-configs no",
		// What a user without a rule about channels may do is decided when its
		// rules are made; then "&pattern" is valid in every access string.
		"acl-pubsub-default resetchannels",
		// A made-up payload of RESTORE must not harm the engine's memory.
		"sanitize-dump-payload clients",
		"user default reset off",
		"user " + directory.AdminUser + " reset on #" + adminDigest + " ~* &* +@all",
	}
	lines = append(lines, replication...)
	for _, name := range slices.Sorted(maps.Keys(spec.Settings)) {
		lines = append(lines, name+` "`+spec.Settings[name]+`"`)
	}
	return strings.Join(lines, "\n") + "\n"
}
