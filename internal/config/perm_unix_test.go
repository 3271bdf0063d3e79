//go:build unix

package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestPermissions(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	for _, tt := range []struct {
		name  string
		setup func(t *testing.T, dir, file string)
		want  string // the whole message, DIR for the folder; "" if it is taken
	}{
		{"sound", func(*testing.T, string, string) {}, ""},
		{
			"folder for the group", func(t *testing.T, dir, file string) { os.Chmod(dir, 0o750) },
			"DIR can be entered by others (mode 0750); it holds credentials: chmod 700 DIR",
		},
		{
			"folder for all", func(t *testing.T, dir, file string) { os.Chmod(dir, 0o777) },
			"DIR can be entered by others (mode 0777); it holds credentials: chmod 700 DIR",
		},
		{"file with a secret", func(t *testing.T, dir, file string) {
			write(t, file, "api_key: sk-long-enough-key-0\n")
			os.Chmod(file, 0o644)
		}, "DIR/portico.yaml holds a secret and can be read by others (mode 0644): chmod 600 DIR/portico.yaml"},
		{"file with an account's secret", func(t *testing.T, dir, file string) {
			write(t, file, "accounts: [{name: a, provider: b, api_key: k}]\n")
			os.Chmod(file, 0o640)
		}, "DIR/portico.yaml holds a secret and can be read by others (mode 0640): chmod 600 DIR/portico.yaml"},
		{"proxy with a password", func(t *testing.T, dir, file string) {
			write(t, file, "proxy: http://u:p@h:1\n")
			os.Chmod(file, 0o644)
		}, "DIR/portico.yaml holds a secret and can be read by others (mode 0644): chmod 600 DIR/portico.yaml"},
		{"file without a secret", func(t *testing.T, dir, file string) { os.Chmod(file, 0o644) }, ""},
		{"file with references only", func(t *testing.T, dir, file string) {
			write(t, file, "api_key: env:K\n")
			os.Chmod(file, 0o644)
		}, ""},
		{
			"file that others change", func(t *testing.T, dir, file string) { os.Chmod(file, 0o664) },
			"DIR/portico.yaml can be changed by others (mode 0664): chmod 600 DIR/portico.yaml",
		},
		{"generated file", func(t *testing.T, dir, file string) {
			g := filepath.Join(dir, "generated.yaml")
			write(t, g, "api_key: sk-long-enough-key-0\n")
			os.Chmod(g, 0o604)
		}, "DIR/generated.yaml holds a secret and can be read by others (mode 0604): chmod 600 DIR/generated.yaml"},
		{"key file", func(t *testing.T, dir, file string) {
			write(t, filepath.Join(dir, "k"), "secret-of-account\n")
			os.Chmod(filepath.Join(dir, "k"), 0o644)
			write(t, file, "accounts: [{name: a, provider: b, key_file: k}]\n")
		}, "DIR/portico.yaml:1: accounts[0].key_file: DIR/k holds a secret and can be read by others (mode 0644): chmod 600 DIR/k"},
		{"folder in the file's place", func(t *testing.T, dir, file string) {
			os.Remove(file)
			os.Mkdir(file, 0o700)
		}, "DIR/portico.yaml is not a regular file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t)
			file := filepath.Join(dir, "portico.yaml")
			write(t, file, "port: 9000\n")
			os.Chmod(file, 0o600)
			tt.setup(t, dir, file)
			_, _, err := Load(Options{DataDir: dir, Env: []string{"K=sk-long-enough-key-0"}})
			got := ""
			if err != nil {
				got = strings.ReplaceAll(err.Error(), dir, "DIR")
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestUmaskDoesNotOpenTheFolder(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "data")
	if _, _, err := Load(Options{DataDir: dir, Init: true}); err != nil {
		t.Fatal(err)
	}
	if mode(t, dir) != 0o700 || mode(t, filepath.Join(dir, "portico.yaml")) != 0o600 {
		t.Errorf("folder %o, file %o", mode(t, dir), mode(t, filepath.Join(dir, "portico.yaml")))
	}
}

func TestEmptyFolderIsClosedAndAFullOneRefused(t *testing.T) {
	dir := folder(t)
	os.Chmod(dir, 0o755)
	if err := MakeDir(dir); err != nil || mode(t, dir) != 0o700 {
		t.Errorf("%v, mode %o", err, mode(t, dir))
	}
	write(t, filepath.Join(dir, "x"), "")
	os.Chmod(dir, 0o755)
	if err := MakeDir(dir); err == nil || mode(t, dir) != 0o755 {
		t.Errorf("%v, mode %o", err, mode(t, dir))
	}
}

func TestForeignOwnerIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		// Only the super-user can give a folder away; /usr is somebody else's
		// for everybody else.
		if err := owned("/usr", must(os.Stat("/usr"))); err == nil {
			t.Error("/usr passed for our own")
		}
		return
	}
	dir := folder(t)
	if err := os.Chown(dir, 12345, -1); err != nil {
		t.Skip("this file system keeps owners fixed: ", err)
	}
	err := CheckDir(dir)
	if err == nil || !strings.Contains(err.Error(), "belongs to user 12345") {
		t.Errorf("got %v", err)
	}
	link := filepath.Join(folder(t), "link")
	if err := os.Symlink(folder(t), link); err != nil {
		t.Fatal(err)
	}
	if err := os.Lchown(link, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if err := CheckDir(link); err == nil {
		t.Error("a link of another user was followed")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
