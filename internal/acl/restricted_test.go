package acl

import (
	"slices"
	"strings"
	"testing"
)

func TestIsRestrictedAgreesWithTheList(t *testing.T) {
	for _, full := range Restricted() {
		name, sub, has := strings.Cut(full, "|")
		if !IsRestricted([]byte(name), []byte(sub)) || !IsRestricted([]byte(strings.ToUpper(name)), []byte(strings.ToUpper(sub))) {
			t.Errorf("%s is in the list and not found", full)
		}
		if has && (IsRestricted([]byte(name), nil) || IsRestricted([]byte(name), []byte("help"))) {
			t.Errorf("%s alone or with another subcommand must not be restricted", name)
		}
		if !has && !IsRestricted([]byte(name), nil) {
			t.Errorf("%s without a second word is not found", name)
		}
	}
}

func TestIsRestrictedLeavesTheRest(t *testing.T) {
	for _, line := range []string{"get a", "set a", "acl whoami", "acl list", "cluster nodes", "client list", "scripts debug", "confi g", "config2 get", "", "a\x00l setuser", "cluster-|failover x", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y", "swapdb 0"} {
		name, sub, _ := strings.Cut(line, " ")
		if IsRestricted([]byte(name), []byte(sub)) {
			t.Errorf("%q is restricted", line)
		}
	}
}

func TestRestrictedIsACopyWithoutRepeats(t *testing.T) {
	list := Restricted()
	list[0] = "get"
	if slices.Contains(Restricted(), "get") {
		t.Error("a caller can change the list")
	}
	if sorted := slices.Sorted(slices.Values(Restricted())); len(slices.Compact(sorted)) != len(Restricted()) {
		t.Error("a name is listed twice")
	}
}

func TestIsRestrictedDoesNotAllocate(t *testing.T) {
	name, sub := []byte("CLUSTER"), []byte("SET-CONFIG-EPOCH")
	if n := testing.AllocsPerRun(100, func() { IsRestricted(name, sub) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkIsRestricted(b *testing.B) {
	for _, line := range []string{"GET key", "CLIENT list", "CLUSTER set-config-epoch"} {
		name, sub, _ := strings.Cut(line, " ")
		b.Run(name, func(b *testing.B) {
			n, s := []byte(name), []byte(sub)
			for b.Loop() {
				IsRestricted(n, s)
			}
		})
	}
}
