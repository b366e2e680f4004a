// Package usage reads what processes and the machine have used: CPU time and
// resident memory from /proc, and what the machine is.
//
// It owns parsing /proc and nothing else; which processes count, and what
// their difference over a run means, is its caller's. It needs Linux.
package usage

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of CPU times in /proc: USER_HZ is 100 on every architecture
// that Go supports (proc(5)).
const tick = 10 * time.Millisecond

// CPU is the user and system time of all threads of a process, those that have
// ended included, in steps of 10 ms. Its children are not in it.
func CPU(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return ticks(fields[11]) + ticks(fields[12]), nil // utime, stime: proc_pid_stat(5), fields 14 and 15
}

// Born tells a process from a later one with the same number: its start, in
// ticks since the machine's.
func Born(pid int) (string, error) {
	fields, err := stat(pid)
	if err != nil {
		return "", err
	}
	return fields[19], nil // starttime, field 22
}

// stat returns the fields of /proc/PID/stat from the third on; the second, the
// name, may hold anything.
func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("reading the usage of process %d: %w", pid, err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 20 {
		return nil, fmt.Errorf("reading the usage of process %d: /proc/%d/stat has %d fields", pid, pid, len(fields))
	}
	return fields, nil
}

func ticks(field string) time.Duration {
	n, _ := strconv.ParseInt(field, 10, 64) // the kernel writes numbers
	return time.Duration(n) * tick
}

// Memory is the resident memory of a process, in bytes.
func Memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("reading the memory of process %d: there is no VmRSS", pid)
}

// Children are the processes that pid is the parent of now.
func Children(pid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing the children of process %d: %w", pid, err)
	}
	parent := strconv.Itoa(pid)
	var children []int
	for _, entry := range entries {
		other, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // not a process
		}
		if fields, err := stat(other); err == nil && fields[1] == parent { // ppid, field 4
			children = append(children, other)
		}
	}
	return children, nil
}

// Busy is the time that all CPUs together have not been idle since the start of
// the machine. Time that a hypervisor took away is in it: it disturbs as well.
func Busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("reading the machine's usage: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(first)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("reading the machine's usage: /proc/stat begins with %q", first)
	}
	// proc_stat(5): user nice system idle iowait irq softirq steal; guests' time
	// is in user already.
	var busy time.Duration
	for i, field := range fields[1:9] {
		if i != 3 && i != 4 {
			busy += ticks(field)
		}
	}
	return busy, nil
}

// Own is the CPU time of this process and of the children it has waited for.
func Own() time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if syscall.Getrusage(who, &r) == nil {
			sum += time.Duration(r.Utime.Nano() + r.Stime.Nano())
		}
	}
	return sum
}

// Machine is what figures depend on.
type Machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	MemoryMiB  int    `json:"memory_mib"`
	Kernel     string `json:"kernel"`
	Congestion string `json:"tcp_congestion_control"`
	Arch       string `json:"architecture"`
}

// ThisMachine describes the machine; what cannot be found out is left empty.
func ThisMachine() Machine {
	memory, _, _ := strings.Cut(value("/proc/meminfo", "MemTotal"), " ")
	kib, _ := strconv.Atoi(memory)
	return Machine{
		CPU: value("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), MemoryMiB: kib >> 10,
		Kernel: line("/proc/sys/kernel/osrelease"), Congestion: line("/proc/sys/net/ipv4/tcp_congestion_control"),
		Arch: runtime.GOARCH,
	}
}

func line(path string) string {
	text, _ := os.ReadFile(path)
	return strings.TrimSpace(string(text))
}

// value finds the first "name: value" of a file.
func value(path, name string) string {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
