package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"portico/internal/rig"
)

// folder starts a second gateway on a data folder that is in use, and another
// one after the first was killed.
func (s *soak) folder() error {
	const name = "folder"
	g, u, end, err := s.gateway(name, "")
	if err != nil {
		return err
	}
	defer end()
	port, err := rig.FreePort(s.ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	cmd := exec.CommandContext(s.ctx, s.binary, "serve", "--data-dir", g.Dir, "--port", strconv.Itoa(port))
	cmd.Env = []string{"HOME=" + s.dir}
	out, _ := cmd.CombinedOutput()
	took := time.Since(began)
	s.report.add(name, "exit code of a second server (REL-18)", "4", cmd.ProcessState.ExitCode() == 4, "%d in %s", cmd.ProcessState.ExitCode(), took.Round(time.Millisecond))
	named := strings.Contains(string(out), strconv.Itoa(g.PID()))
	s.report.add(name, "it names the one that holds the folder", "yes", named, "%t", named)
	a := rig.Ask{Protocol: rig.Chat, Key: apiKey, Script: rig.Script{N: 1, In: 1, Out: 1}}
	got := a.Do(s.ctx, rig.Client(), g.Base, nil)
	s.report.add(name, "the first goes on", "200", got.Whole, "%d", got.Status)

	g.Kill()
	again, err := rig.Start(s.ctx, rig.Options{Binary: s.binary, Dir: g.Dir, Port: g.Port})
	if err != nil {
		return err
	}
	defer again.Kill()
	err = again.Healthy(s.ctx, startWithin*s.size.slack)
	s.report.add(name, "a start after kill -9, nothing deleted by hand", "≤ 2s", err == nil, "%s", again.Startup.Round(time.Millisecond))
	u.Close()

	// A folder whose disk part is damaged: the ledger is set aside, the
	// accounts come from their copy, and the server starts.
	again.Kill()
	if err := os.WriteFile(filepath.Join(g.Dir, "ledger.db"), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		return err
	}
	third, err := rig.Start(s.ctx, rig.Options{Binary: s.binary, Dir: g.Dir, Port: g.Port})
	if err != nil {
		return err
	}
	defer third.Kill()
	err = third.Healthy(s.ctx, startWithin*s.size.slack)
	s.report.add(name, "a start with a damaged ledger", "≤ 2s", err == nil, "%s", third.Startup.Round(time.Millisecond))
	if err != nil {
		return fmt.Errorf("with a damaged ledger: %w", err)
	}
	return nil
}
