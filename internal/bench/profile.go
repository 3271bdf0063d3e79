package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// profile loads the gateway with each figure for some seconds more and writes
// its CPU profile into folder.
func (b *bench) profile(ctx context.Context, fs []figure, g *gateway, folder string) error {
	const seconds = 5
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	slow := *b
	slow.pace.window, slow.pace.pacedWindow = (seconds+1)*time.Second, (seconds+1)*time.Second
	for _, f := range fs {
		wrote := make(chan error, 1)
		go func() {
			time.Sleep(b.pace.pacedWarm)
			name := strings.Map(func(r rune) rune {
				if r == ' ' || r == ',' {
					return '-'
				}
				return r
			}, f.name)
			wrote <- g.fetch(ctx, fmt.Sprintf("/debug/pprof/profile?seconds=%d", seconds), filepath.Join(folder, name+".pprof"))
		}()
		_, err := slow.cost(ctx, f.load, g.addr, g.pid())
		if e := <-wrote; err == nil {
			err = e
		}
		if err != nil {
			return fmt.Errorf("profile of %s: %w", f.name, err)
		}
	}
	return nil
}

// fetch writes what the operator's side answers on path into a file.
func (g *gateway) fetch(ctx context.Context, path, file string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.addr+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", path, resp.Status, body)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, body, 0o644)
}
