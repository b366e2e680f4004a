package engine

import (
	"bytes"
	"fmt"
	"os"
)

// born tells a process from any other that ever had its number: the boot and
// the moment of its start in ticks since then (proc(5), stat field 22). It is
// "" if there is no such process.
func born(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is the name in parentheses, which may contain anything.
	_, rest, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	fields := bytes.Fields(rest)
	const state, start = 0, 19
	if len(fields) <= start || fields[state][0] == 'Z' {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(boot)) + " " + string(fields[start])
}
