package config

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Reload reads the configuration anew for a server that runs with old. Keys
// that need a restart keep their value, and a warning says so; the result is
// sound with the kept values, so that nothing is ever half open. Nothing is
// written, and nothing is generated.
func Reload(old *Config, o Options) (*Config, []Problem, error) {
	o.Init = false
	c, warnings, err := load(o)
	if err != nil {
		return nil, warnings, err
	}
	if old.File != "" && c.File == "" {
		return nil, warnings, &Error{[]Problem{{Where: old.File, Text: "was removed; the server keeps what it read before"}}}
	}
	r := &report{options: &o, warn: warnings}
	if old.AllowLAN && !c.AllowLAN && c.AuthMode == AuthOff {
		r.at(c, "auth_mode")("off cannot hold while the server still listens on the network; restart it")
		return nil, warnings, r.err()
	}
	for _, f := range fields {
		if !f.Restart {
			continue
		}
		if is, was := f.get(c), f.get(old); is != was {
			r.warnAt(c, f.Name)(fmt.Sprintf("is %v now, but %v stays until the server is restarted", is, was))
		}
	}
	c.Port, c.AllowLAN, c.Timeouts.Connect = old.Port, old.AllowLAN, old.Timeouts.Connect
	r.warn, warnings = nil, r.warn
	cross(r, c)
	for _, name := range []string{"api_key", "admin_token"} {
		if _, ok := c.origin[name]; !ok {
			r.where = c.File
			r.problem(0, name, "was removed; put it back, or restart the server to have one generated")
		}
	}
	if err := r.err(); err != nil {
		return nil, warnings, err
	}
	return c, warnings, nil
}

// pace is how often Watch looks at the files. A change takes effect when two
// looks in a row see the same, so that a file is not read half written.
//
// It looks instead of being told: a watch on the data folder would be woken by
// every write to the ledger beside the file, and none is told of anything on a
// network share or a mounted configuration. A look costs some microseconds.
const pace = 250 * time.Millisecond

// Watch calls heard with what Reload returns each time a file changed that
// decided cur, and each time wake is sent to, until ctx ends. On success the
// new configuration is what the next is compared with. A bad file is told once.
func Watch(ctx context.Context, o Options, cur *Config, wake <-chan struct{}, heard func(*Config, []Problem, error)) {
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	// The stamps are taken before the files are read, so that a change
	// meanwhile, or since cur was read, is seen as one by the next look.
	files, read := cur.read, cur.seen
	last := read // what the last look saw
	reload := func() {
		read = look(files)
		next, warnings, err := Reload(cur, o)
		if err == nil {
			cur, files, read = next, next.read, next.seen
		}
		last = read
		heard(next, warnings, err)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
			reload()
		case <-ticker.C:
			now := look(files)
			settled := slices.Equal(now, last)
			last = now
			if settled && !slices.Equal(now, read) {
				reload()
			}
		}
	}
}

// A stamp is what a look sees of one file; the zero stamp is no file.
type stamp struct {
	size  int64
	mode  fs.FileMode
	mtime time.Time
}

func look(files []string) []stamp {
	out := make([]stamp, len(files))
	for i, f := range files {
		if info, err := os.Stat(f); err == nil {
			out[i] = stamp{info.Size(), info.Mode(), info.ModTime()}
		}
	}
	return out
}
