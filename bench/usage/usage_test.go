package usage_test

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/bench/usage"
)

// burn uses CPU time until this process has used d more.
func burn(t *testing.T, d time.Duration) {
	t.Helper()
	for start := usage.Own(); usage.Own()-start < d; {
		for range 1000 {
		}
	}
}

func TestCPUCountsWhatAProcessUsed(t *testing.T) {
	const d = 200 * time.Millisecond
	before := read(t, usage.CPU, os.Getpid())
	busy, err := usage.Busy()
	if err != nil {
		t.Fatal(err)
	}
	burn(t, d)
	used := read(t, usage.CPU, os.Getpid()) - before
	if used < d-20*time.Millisecond || used > 2*d {
		t.Errorf("CPU says %v after %v were used", used, d)
	}
	after, err := usage.Busy()
	if err != nil {
		t.Fatal(err)
	}
	// The kernel samples this one, so it may miss a little.
	if after-busy < d*3/4 {
		t.Errorf("the machine was busy for %v while a process used %v", after-busy, d)
	}
}

func TestMemoryGrowsWithWhatIsTouched(t *testing.T) {
	const size = 64 << 20
	before := read(t, usage.Memory, os.Getpid())
	block := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	grown := read(t, usage.Memory, os.Getpid()) - before
	if grown < size*9/10 || grown > size*2 {
		t.Errorf("the memory grew by %d bytes when %d were touched", grown, size)
	}
	if block[4096] != 1 {
		t.Fatal("the block was optimised away")
	}
}

func TestChildren(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	if found := read(t, usage.Children, os.Getpid()); !slices.Contains(found, child.Process.Pid) {
		t.Errorf("%v lacks %d", found, child.Process.Pid)
	}
	if mine, its := read(t, usage.Born, os.Getpid()), read(t, usage.Born, child.Process.Pid); mine == "" || mine == its {
		t.Errorf("this process was born at %q and its child at %q", mine, its)
	}
}

func TestAProcessThatIsGone(t *testing.T) {
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := usage.CPU(child.Process.Pid); err == nil {
		t.Error("a process that has ended has CPU time")
	}
}

func TestThisMachine(t *testing.T) {
	if m := usage.ThisMachine(); m.Cores < 1 || m.MemoryMiB < 1 || m.Kernel == "" {
		t.Errorf("the machine is not described: %+v", m)
	}
}

func read[T any](t *testing.T, what func(int) (T, error), pid int) T {
	t.Helper()
	value, err := what(pid)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
