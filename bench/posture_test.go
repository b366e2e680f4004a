package main

import "testing"

func TestBenchmarksOfGoAreRead(t *testing.T) {
	got := goBenchmarks("goos: linux\nBenchmarkEstate-2   \t 1\t4940978018 ns/op\t 3370 calls/audit\t 222.5 peakMB\n--- BENCH: BenchmarkEstate-2\nPASS\n")
	if len(got) != 1 || got[0].Workload != "posture-estate" || got[0].Values["calls/audit"] != 3370 || got[0].Values["s"] != 4.940978018 {
		t.Errorf("read %+v", got)
	}
}
