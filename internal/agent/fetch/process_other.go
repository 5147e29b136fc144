//go:build unix && !linux

package fetch

import "syscall"

func sameGroup() *syscall.SysProcAttr { return nil }

func harden() {}
