package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A child is a process that was started here.
type child struct {
	*exec.Cmd
	out *bufio.Reader
}

func (c *child) pid() int { return c.Process.Pid }

// stop ends the process at once.
func (c *child) stop() {
	_ = c.Process.Kill()
	_ = c.Wait()
}

// A bench is what the measurements share.
type bench struct {
	options
	self           string // this program
	dir            string // for what is written
	pinned         bool
	measured, rest int    // cores
	upstream       string // host:port
}

// launch starts a program on a core. Its standard output is read through the
// child.
func (b *bench) launch(core int, cmd *exec.Cmd) (*child, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr = dieWithMe()
	if b.pinned {
		err = on(core, cmd.Start)
	} else {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	return &child{cmd, bufio.NewReader(out)}, nil
}

// serve starts this program as something that listens, and returns where.
func (b *bench) serve(ctx context.Context, core int, args ...string) (*child, string, error) {
	cmd := exec.CommandContext(ctx, b.self, args...)
	cmd.Stderr = os.Stderr
	c, err := b.launch(core, cmd)
	if err != nil {
		return nil, "", err
	}
	addr, err := c.out.ReadString('\n')
	if err != nil {
		c.stop()
		return nil, "", fmt.Errorf("%s does not listen: %w", args, err)
	}
	return c, strings.TrimSpace(addr), nil
}

// load runs a job to its end.
func (b *bench) load(ctx context.Context, j job) (r result, err error) {
	var in, said bytes.Buffer
	if err := gob.NewEncoder(&in).Encode(j); err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, b.self, "-role", "load")
	cmd.Stdin, cmd.Stderr = &in, &said
	c, err := b.launch(b.rest, cmd)
	if err != nil {
		return r, err
	}
	limit := time.AfterFunc(j.Ramp+j.Warm+j.Window+2*patience, func() { _ = c.Process.Kill() })
	defer limit.Stop()
	decodeErr := gob.NewDecoder(c.out).Decode(&r)
	if err := c.Wait(); err != nil {
		return r, fmt.Errorf("the load ended with %w: %s", err, said.Bytes())
	}
	if decodeErr != nil {
		return r, decodeErr
	}
	if r.Error != "" {
		return r, fmt.Errorf("the load met an error: %s", r.Error)
	}
	return r, nil
}
