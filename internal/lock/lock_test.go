package lock

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// The test binary plays the other server: it takes the folder and holds it
// until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LOCK_TEST_HOLD"); dir != "" {
		l, err := Take(dir, noon)
		if err == nil {
			err = l.Announce(8045, "http://127.0.0.1:8045")
		}
		if err != nil {
			os.Stdout.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Stdout.WriteString("held\n")
		select {}
	}
	os.Exit(m.Run())
}

func hold(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LOCK_TEST_HOLD="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatal(line, err)
	}
	return cmd
}

func TestOneServer(t *testing.T) {
	dir := t.TempDir()
	cmd := hold(t, dir)
	_, err := Take(dir, noon)
	held, ok := errors.AsType[*HeldError](err)
	if !ok || held.By.PID != cmd.Process.Pid || held.By.Port != 8045 || !held.By.Start.Equal(noon) {
		t.Fatalf("the second one got %v", err)
	}
	if !strings.Contains(err.Error(), "http://127.0.0.1:8045") || !strings.Contains(err.Error(), dir) {
		t.Errorf("the message does not say who and what: %v", err)
	}
	if h, running, err := Find(dir); !running || err != nil || h.PID != cmd.Process.Pid {
		t.Errorf("%v %v %v", h, running, err)
	}
}

func TestAKilledServerLeavesNothingToMend(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		cmd := hold(t, dir)
		cmd.Process.Kill() // SIGKILL
		cmd.Wait()
		if h, running, err := Find(dir); running || err != nil {
			t.Fatalf("a dead server is found: %v, %v", h, err)
		}
		l, err := Take(dir, noon)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLookingTakesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, running, err := Find(dir); running || err != nil {
		t.Error(running, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("looking left %v", entries)
	}
	if _, running, err := Find(filepath.Join(dir, "nope")); running || err != nil {
		t.Error(running, err)
	}
}

func TestModesAndDamage(t *testing.T) {
	dir := t.TempDir()
	l, err := Take(dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	for _, name := range []string{lockName, holderName} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, holderName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Take(dir, noon)
	if held, ok := errors.AsType[*HeldError](err); !ok || !strings.Contains(held.Error(), "has not said who it is") {
		t.Errorf("with a damaged %s: %v", holderName, err)
	}
	if err := l.Announce(1, "http://127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	if h, running, err := Find(dir); !running || err != nil || h.Port != 1 {
		t.Errorf("%v %v %v", h, running, err)
	}
}
