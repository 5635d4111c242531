//go:build linux || darwin

package main

import "syscall"

// freeBytes is how much an ordinary user may still write below a directory.
func freeBytes(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}
