// Package rig runs the real gateway, as a process of its own in a folder of its
// own, for what looks at it from outside: the attack tests and the soak. It
// also holds an upstream on loopback that answers as it is told in all four
// protocols, and clients that read those answers as strictly as the protocols
// allow.
//
// It imports nothing of the gateway but the names of its protocols: what it
// checks, it knows from the outside.
package rig

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options say how a gateway is run.
type Options struct {
	Binary string
	Dir    string   // the data folder; it is made if it is not there
	Port   int      // 0: a free one
	Config string   // portico.yaml without port; "" leaves the file as it is
	Args   []string // of serve, beyond folder and port
	Env    []string // beyond PATH and HOME
	Log    string   // file to which standard output and error are appended; "": Dir + ".log"
	Under  []string // a command to run the gateway under, such as nice
}

// A Gateway is a running gateway.
type Gateway struct {
	Port int
	Base string // such as http://127.0.0.1:20001
	Dir  string
	Log  string

	Exec    time.Time     // when it was started
	Startup time.Duration // from Exec to its first answer on /healthz; set by Healthy

	cmd    *exec.Cmd
	exited chan struct{}
	err    error // of Wait; read after exited
}

// Start starts a gateway and does not wait for it. It is killed when ctx ends.
func Start(ctx context.Context, o Options) (*Gateway, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if o.Port == 0 {
		var err error
		if o.Port, err = FreePort(ctx); err != nil {
			return nil, err
		}
	}
	if o.Log == "" {
		o.Log = o.Dir + ".log"
	}
	if o.Config != "" {
		if err := WriteConfig(o.Dir, o.Config); err != nil {
			return nil, err
		}
	}
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	args := append([]string{}, o.Under...)
	args = append(args, o.Binary, "serve", "--data-dir", o.Dir, "--port", strconv.Itoa(o.Port))
	args = append(args, o.Args...)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(o.Dir)}, o.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithMe()
	g := &Gateway{
		Port: o.Port, Base: "http://127.0.0.1:" + strconv.Itoa(o.Port), Dir: o.Dir, Log: o.Log,
		cmd: cmd, exited: make(chan struct{}), Exec: time.Now(),
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		g.err = cmd.Wait()
		close(g.exited)
	}()
	return g, nil
}

// WriteConfig writes portico.yaml in the data folder in one step, as an
// editor does.
func WriteConfig(dir, text string) error {
	tmp := filepath.Join(dir, ".edit.tmp")
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, "portico.yaml"))
}

// PID is the gateway's process.
func (g *Gateway) PID() int { return g.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (g *Gateway) Exited() <-chan struct{} { return g.exited }

// ExitCode is what the process ended with, -1 for a signal. It waits for the
// end.
func (g *Gateway) ExitCode() int {
	<-g.exited
	return g.cmd.ProcessState.ExitCode()
}

// State says how the process ended. It waits for the end.
func (g *Gateway) State() string {
	<-g.exited
	return g.cmd.ProcessState.String()
}

// Healthy waits until /healthz answers, and notes how long that took.
func (g *Gateway) Healthy(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := g.ping(ctx)
		if err == nil {
			err = g.listens()
		}
		if err == nil {
			g.Startup = time.Since(g.Exec)
			return nil
		} else if ctx.Err() != nil {
			return fmt.Errorf("not healthy after %s: %w; its log ends with:\n%s", within, err, Tail(g.Log, 2000))
		}
		select {
		case <-g.exited:
			return fmt.Errorf("it ended with %w; its log ends with:\n%s", g.err, Tail(g.Log, 2000))
		case <-time.After(time.Millisecond):
		}
	}
}

// listens reports in its error whether the one who answers on the port may be
// another process.
func (g *Gateway) listens() error {
	b, err := os.ReadFile(filepath.Join(g.Dir, "server.json"))
	if err != nil {
		return err
	}
	var holder struct {
		PID  int `json:"pid"`
		Port int `json:"port"`
	}
	if err := json.Unmarshal(b, &holder); err != nil {
		return err
	}
	if holder.PID != g.PID() || holder.Port != g.Port {
		return fmt.Errorf("somebody answers, but process %d does not say that it is the one: %s", g.PID(), b)
	}
	return nil
}

// ping asks for /healthz on a connection of its own. Any answer in HTTP will
// do: in some modes it is 401.
func (g *Gateway) ping(ctx context.Context) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(g.Port))
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := fmt.Fprintf(c, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n", g.Port); err != nil {
		return err
	}
	var head [9]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return err
	}
	if string(head[:]) != "HTTP/1.1 " {
		return fmt.Errorf("not HTTP: %q", head)
	}
	return nil
}

// Signal sends a signal to the process.
func (g *Gateway) Signal(s os.Signal) error { return g.cmd.Process.Signal(s) }

// Kill ends the process as a power cut for it would, and waits for its end.
func (g *Gateway) Kill() {
	_ = g.cmd.Process.Kill()
	<-g.exited
}

// Stop asks the process to end, and kills it if it takes longer than within.
func (g *Gateway) Stop(within time.Duration) error {
	_ = g.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.exited:
	case <-time.After(within):
		g.Kill()
		return fmt.Errorf("it did not end within %s of SIGTERM", within)
	}
	if g.err != nil {
		return fmt.Errorf("it ended with %w", g.err)
	}
	return nil
}

// Tail is the end of a file, at most n bytes.
func Tail(path string, n int64) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > n {
		_, _ = f.Seek(-n, io.SeekEnd)
	}
	b, _ := io.ReadAll(io.LimitReader(f, n))
	return string(b)
}

// Build builds the gateway from the module that the working folder lies in,
// without cgo, and returns the path of the binary in dir.
func Build(ctx context.Context, dir string) (string, error) {
	if dir == "" {
		return "", errors.New("no folder to build in")
	}
	out := filepath.Join(dir, "portico")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "portico/cmd/portico")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the gateway cannot be built: %w\n%s", err, strings.TrimSpace(string(b)))
	}
	return out, nil
}

// Client is an HTTP client for the gateway with as many connections as it
// takes. It follows no redirect and heeds no proxy.
func Client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true, ResponseHeaderTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}
