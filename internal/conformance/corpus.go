package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// A recording is one exchange.
type recording struct {
	name     string
	protocol string // the gateway's name of it
	model    string
	status   int
	stream   bool
	request  []byte // nil: none was recorded
	response []byte
	sse      bool
	query    string
	op       string
	// unrecorded: the request was made here, for an answer without one.
	unrecorded bool
}

type meta struct {
	Protocol  string `json:"protocol"`
	Operation string `json:"operation"`
	Streaming bool   `json:"streaming"`
	Model     string `json:"model"`
	Status    int    `json:"status"`
	URL       string `json:"url"`
}

// open returns the folder of the recordings, unpacked if need be.
func open(folder string) (root string, clean func(), err error) {
	nothing := func() {}
	for _, r := range []string{folder, filepath.Join(folder, "dev")} {
		if _, err := os.Stat(filepath.Join(r, "index.jsonl")); err == nil {
			return r, nothing, nil
		}
	}
	archive := filepath.Join(folder, "dev.tar.gz")
	f, err := os.Open(archive)
	if err != nil {
		return "", nothing, fmt.Errorf("there are no recordings in %s: neither index.jsonl nor dev.tar.gz", folder)
	}
	defer f.Close()
	tmp, err := os.MkdirTemp("", "portico-conformance-")
	if err != nil {
		return "", nothing, err
	}
	clean = func() { _ = os.RemoveAll(tmp) }
	if err := unpack(f, tmp); err != nil {
		clean()
		return "", nothing, fmt.Errorf("unpack %s: %w", archive, err)
	}
	return filepath.Join(tmp, "dev"), clean, nil
}

// maxFile bounds one file of the archive.
const maxFile = 64 << 20

func unpack(r io.Reader, into string) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer root.Close()
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Clean(h.Name)
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		b, err := io.ReadAll(io.LimitReader(t, maxFile))
		if err != nil {
			return err
		}
		if err := root.WriteFile(name, b, 0o600); err != nil {
			return err
		}
	}
}

// folders are the protocols of the recordings and what the gateway calls them.
var folders = []struct{ folder, protocol string }{
	{"openai-chat", "openai-chat"}, {"openai-compatible-other", "openai-chat"}, {"openai-responses", "openai-responses"}, {"anthropic", "anthropic"}, {"gemini", "gemini"},
}

func load(root, only string) (out []recording, err error) {
	for _, f := range folders {
		dirs, err := filepath.Glob(filepath.Join(root, f.folder, "*"))
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			if !strings.Contains(dir, only) {
				continue
			}
			r, err := read(dir, f.protocol)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no case fits")
	}
	return out, nil
}

func read(dir, protocol string) (recording, error) {
	var m meta
	b, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if err != nil {
		return recording{}, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return recording{}, fmt.Errorf("%s: %w", dir, err)
	}
	r := recording{name: filepath.Base(dir), protocol: protocol, model: m.Model, status: m.Status, stream: m.Streaming, op: m.Operation}
	if r.status == 0 {
		r.status = 200
	}
	if r.request, err = os.ReadFile(filepath.Join(dir, "request.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return recording{}, err
	}
	if r.response, err = os.ReadFile(filepath.Join(dir, "response.sse")); err == nil {
		r.sse = true
	} else if r.response, err = os.ReadFile(filepath.Join(dir, "response.json")); err != nil {
		return recording{}, err
	}
	if u, err := url.Parse(m.URL); err == nil {
		q := u.Query()
		q.Del("key")
		r.query = q.Encode()
	}
	if r.request == nil {
		r.request, r.unrecorded = made(&r), true
	}
	r.stream = r.sse || bytes.Contains(r.request, []byte(`"stream":true`)) || bytes.Contains(r.request, []byte(`"stream": true`))
	return r, nil
}

// made is a request for an answer that was recorded without one.
func made(r *recording) []byte {
	stream := ""
	if r.sse && r.protocol != "gemini" {
		stream = `,"stream":true`
	}
	model := r.model
	if model == "" {
		model = "model"
	}
	switch r.protocol {
	case "openai-chat":
		return []byte(`{"model":"` + model + `","messages":[{"role":"user","content":"Hi"}]` + stream + `}`)
	case "openai-responses":
		return []byte(`{"model":"` + model + `","input":"Hi"` + stream + `}`)
	case "anthropic":
		return []byte(`{"model":"` + model + `","max_tokens":100,"messages":[{"role":"user","content":"Hi"}]` + stream + `}`)
	}
	return []byte(`{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}`)
}

// path is where a client of the protocol sends r.
func (r *recording) path() string {
	q := ""
	if r.query != "" {
		q = "?" + r.query
	}
	switch r.protocol {
	case "openai-chat":
		return "/v1/chat/completions" + q
	case "openai-responses":
		return "/v1/responses" + q
	case "anthropic":
		if r.op == "count_tokens" {
			return "/v1/messages/count_tokens" + q
		}
		return "/v1/messages" + q
	}
	model := strings.TrimPrefix(r.model, "models/")
	if model == "" {
		model = "gemini"
	}
	method := ":generateContent"
	switch {
	case r.sse:
		method, q = ":streamGenerateContent", "?alt=sse"
	case r.stream:
		method = ":streamGenerateContent"
	case r.op == "count_tokens":
		method = ":countTokens"
	}
	return "/v1beta/models/" + url.PathEscape(model) + method + q
}
