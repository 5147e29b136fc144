package main

import (
	"runtime/debug"
	"testing"
)

func TestTheEnvironmentsMemorySettingsWin(t *testing.T) {
	percent, limit := debug.SetGCPercent(50), debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) })
	t.Setenv("GOGC", "50")
	t.Setenv("GOMEMLIMIT", "1GiB")
	letHeapGrow()
	if p, l := debug.SetGCPercent(50), debug.SetMemoryLimit(-1); p != 50 || l != limit {
		t.Errorf("GOGC is %d and the limit %d in spite of the environment", p, l)
	}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	letHeapGrow()
	if p, l := debug.SetGCPercent(50), debug.SetMemoryLimit(-1); p != 400 || l != 512<<20 {
		t.Errorf("GOGC is %d and the limit %d by default", p, l)
	}
}
