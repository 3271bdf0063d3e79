package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"portico/internal/protocol"
	"portico/internal/rig"
)

// A stage is a gateway with an upstream, for the trials with one -upstream.
type stage struct {
	folder   *folder
	dir      string
	upstream string
	mock     *exec.Cmd
	agent    *agent
	gateway  *rig.Gateway
}

// patience is how long a program may take. The programs themselves give a
// client two minutes.
const patience = 4 * time.Minute

// stage starts upstream and gateway and waits for both.
func (f *folder) stage(ctx context.Context, binary, dir, upstream string) (s *stage, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s = &stage{folder: f, dir: dir, upstream: upstream}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	address, err := s.startMock()
	if err != nil {
		return nil, err
	}
	if s.agent, err = newAgent(address, dir); err != nil {
		return nil, err
	}
	s.gateway, err = rig.Start(ctx, rig.Options{Binary: binary, Dir: filepath.Join(dir, "data"), Config: configOf(upstream, s.agent.URL)})
	if err != nil {
		return nil, err
	}
	return s, s.gateway.Healthy(ctx, 20*time.Second)
}

// startMock starts the upstream and returns where it listens.
func (s *stage) startMock() (string, error) {
	cmd := exec.Command(s.folder.node, s.folder.mock(), "--port", "0", "--quiet")
	cmd.SysProcAttr = group()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	log, err := os.Create(filepath.Join(s.dir, "upstream.log"))
	if err != nil {
		return "", err
	}
	defer log.Close() // the process has its own
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return "", err
	}
	s.mock = cmd
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if !ok {
		return "", errors.Join(fmt.Errorf("the upstream did not say where it listens, but %q", line), err)
	}
	return address, nil
}

// close ends what was started.
func (s *stage) close() {
	if s.gateway != nil {
		_ = s.gateway.Stop(10 * time.Second)
	}
	if s.agent != nil {
		s.agent.Close()
	}
	if s.mock != nil {
		end(s.mock)
		_ = s.mock.Wait()
	}
}

// account is how a protocol's accounts are declared, and where the upstream
// has it.
type account struct{ name, provider, suffix string }

var accounts = map[string]account{
	protocol.OpenAIChat:      {"chat", "openai", "/v1"},
	protocol.OpenAIResponses: {"responses", "openai", "/v1"},
	protocol.Anthropic:       {"anthropic", "anthropic", ""},
	protocol.Gemini:          {"gemini", "gemini", "/v1beta"},
}

// reasons is a vendor whose chat has a place for reasoning and its seals, as
// OpenAI's own has not: the agent speaks like it.
const reasons = "openai-compatible, preset: openrouter"

// protocolsOf are the protocols of which there is an account.
func protocolsOf(upstream string) []string {
	if upstream == own {
		return upstreams()[1:]
	}
	return []string{upstream}
}

const adminToken = "at-judge-0123456789abcdefghijklmnopqrstuv"

// configOf is the gateway's configuration without its port: an account of one
// protocol, or for own one of each.
func configOf(upstream, address string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "admin_token: %s\naccounts:\n", adminToken)
	for _, p := range protocolsOf(upstream) {
		a := accounts[p]
		if upstream == protocol.OpenAIChat {
			a.provider = reasons
		}
		fmt.Fprintf(&b, "  - {name: %s, provider: %s, protocols: [%s], base_url: %q, api_key: sk-judge-0123456789abcdef}\n", a.name, a.provider, p, address+a.suffix)
	}
	return b.String()
}

// heal makes the gateway forget the faults that somebody has asked the upstream
// for: whoever comes next meets accounts that are well.
func (s *stage) heal(ctx context.Context) error {
	op := rig.Operator{Base: s.gateway.Base, Token: adminToken, HTTP: http.DefaultClient}
	for _, p := range protocolsOf(s.upstream) {
		status, err := op.Call(ctx, http.MethodPost, "/api/accounts/"+accounts[p].name+"/heal", nil, nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("HTTP %d", status)
		}
		if err != nil {
			return fmt.Errorf("the account %s cannot be healed: %w", accounts[p].name, err)
		}
	}
	return nil
}

// run runs one trial to its end: the program without the checks that leave an
// account put off, then each of those by itself. What was said is kept in a
// file.
func (s *stage) run(ctx context.Context, t trial) verdict {
	v := verdict{passed: true, beyond: beyond(t.program, s.upstream)}
	alone := slices.DeleteFunc(slices.Clone(apart[t.program]), func(c string) bool { return slices.Contains(v.beyond, c) })
	settings := []string{"SKIP=" + strings.Join(slices.Concat(v.beyond, alone), ",")}
	for _, c := range alone {
		settings = append(settings, "ONLY="+c)
	}
	var all []byte
	for _, setting := range settings {
		said, err := s.once(ctx, t, setting)
		all = append(all, said...)
		if err != nil {
			v.passed, v.why = false, strings.TrimPrefix(v.why+"; "+failure(said, err), "; ")
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, fileName(t.name)), all, 0o600); err != nil {
		return verdict{why: err.Error()}
	}
	return v
}

// fileName is where what a trial said is kept.
func fileName(trial string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, trial) + ".log"
}

// failure is why a program that said said and ended with err failed.
func failure(said []byte, err error) string {
	w := why(string(said))
	if w == "" || errors.Is(err, errPatience) {
		w = strings.TrimSpace(err.Error() + " " + w)
	}
	return w
}

// once runs a trial's program to its end and returns what it said.
func (s *stage) once(ctx context.Context, t trial, setting string) ([]byte, error) {
	home := filepath.Join(s.dir, "home")
	if err := errors.Join(os.MkdirAll(home, 0o700), s.heal(ctx)); err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(s.folder.programs(), t.program), s.gateway.Base)
	if t.script() {
		cmd = exec.Command(s.folder.node, filepath.Join(s.folder.sdk, t.program), s.gateway.Base)
	}
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + s.dir, "SDKS=" + filepath.Join(s.folder.programs(), "sdk-js"), setting}, append(expects(t, s.upstream), t.env...)...)
	cmd.SysProcAttr = group()
	return watched(ctx, cmd, patience)
}

var errPatience = fmt.Errorf("it did not end within %s", patience)

// pipePatience is how long a pipe is read that a process holds which has left
// its group.
const pipePatience = 5 * time.Second

// maxSaid bounds what is kept of a program's words, in bytes.
const maxSaid = 4 << 20

// watched runs cmd and returns the end of what it said. If it must be ended,
// all processes of its group are.
func watched(ctx context.Context, cmd *exec.Cmd, limit time.Duration) ([]byte, error) {
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = pipePatience
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var err error
	select {
	case err = <-done: // its group may be nobody's number any more, and is left alone
	case <-timer.C:
		end(cmd)
		<-done
		err = errPatience
	case <-ctx.Done():
		end(cmd)
		<-done
		err = ctx.Err()
	}
	return said.b, err
}

// tail keeps the last bytes that are written to it.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*maxSaid {
		t.b = bytes.Clone(t.b[len(t.b)-maxSaid:])
	}
	return len(p), nil
}
