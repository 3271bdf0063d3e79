//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkDir refuses a data folder that others could read or write: it holds
// every credential.
func checkDir(path string) error {
	for _, stat := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		info, err := stat(path)
		if err != nil {
			return err
		}
		if err := owned(path, info); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			continue // its own mode means nothing; what it leads to comes next
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is not a folder", path)
		}
		if m := info.Mode().Perm(); m&0o077 != 0 {
			return fmt.Errorf("%s can be entered by others (mode %04o); it holds credentials: chmod 700 %s", path, m, shellQuote(path))
		}
	}
	return nil
}

// checkFile refuses a file that others can change, and one that holds a
// secret and that others can read.
func checkFile(path string, info fs.FileInfo, secret bool) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if err := owned(path, info); err != nil {
		return err
	}
	switch m := info.Mode().Perm(); {
	case m&0o022 != 0:
		return fmt.Errorf("%s can be changed by others (mode %04o): chmod 600 %s", path, m, shellQuote(path))
	case secret && m&0o044 != 0:
		return fmt.Errorf("%s holds a secret and can be read by others (mode %04o): chmod 600 %s", path, m, shellQuote(path))
	}
	return nil
}

// owned refuses what belongs to another user. The super-user owns the machine
// anyway, and mounted secrets are usually his.
func owned(path string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() || st.Uid == 0 && !info.IsDir() {
		return nil
	}
	return fmt.Errorf("%s belongs to user %d and not to you (%d); use a folder of your own, or: chown %d %s", path, st.Uid, os.Geteuid(), os.Geteuid(), shellQuote(path))
}
