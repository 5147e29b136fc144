//go:build unix && !linux

package fetch

import "syscall"

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func sameGroup() *syscall.SysProcAttr { return nil }

func harden() {}
