//go:build !linux

package engine

import (
	"os/exec"
	"strconv"
	"strings"
)

// born tells a process from any other that ever had its number, by the second
// of its start. It is "" if there is no such process.
func born(pid int) string {
	output, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(output))
}
