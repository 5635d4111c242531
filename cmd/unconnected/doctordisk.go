package main

import (
	"errors"
	"io/fs"
	"path/filepath"

	"unconnected/internal/diagnosis"
)

// examineDisk looks at the disk below the embedded server's files.
func examineDisk(dir string, most int64) diagnosis.Finding {
	const elsewhere = "where NATS keeps its files, its disk must hold HISTORY_MAX_BYTES, and some more"
	size, err := sizeOf(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return diagnosis.Skip("space", elsewhere, "%s is not here: up has not run in this directory", dir)
	case err == nil && size == 0:
		return diagnosis.Skip("space", elsewhere, "%s is empty: up has not run with it", dir)
	case err != nil:
		return diagnosis.Fail("space", "let this user read the directory", "%s: %v", dir, err)
	}
	free, err := freeBytes(dir)
	if err != nil {
		return diagnosis.Skip("space", "look yourself", "what is free in %s is not visible: %v", dir, err)
	}
	return judgeDisk(dir, size, free, max(0, most))
}

// leastFree is what a disk should have beside what is stored: logs, and the files that a server writes anew.
const leastFree = 256 << 20

// judgeDisk takes how much is stored in a directory, how much is free there, and how much may be stored.
func judgeDisk(dir string, stored, free uint64, most int64) diagnosis.Finding {
	const check = "space"
	growth := uint64(0)
	if limit := uint64(most); limit > stored {
		growth = limit - stored
	}
	have := diagnosis.Bytes(free) + " free in " + dir + ", " + diagnosis.Bytes(stored) + " stored"
	switch {
	case free < leastFree:
		return diagnosis.Fail(check, "free some: on a full disk nothing is stored, until up is started again", "%s", have)
	case free < growth+leastFree:
		return diagnosis.Warn(check, "lower HISTORY_MAX_BYTES before the history is begun, or make room", "%s, and the history may grow by %s", have, diagnosis.Bytes(growth))
	}
	return diagnosis.Ok(check, "%s", have)
}

// sizeOf is how large all files below a directory are.
func sizeOf(dir string) (size uint64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path != dir && errors.Is(err, fs.ErrNotExist) {
				return nil // the server has just removed it
			}
			return err
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			size += uint64(info.Size())
		}
		return nil
	})
	return size, err
}
