package config

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const sound = "api_key: sk-long-enough-key-0\nadmin_token: at-long-enough-token\n"

type told struct {
	c        *Config
	warnings []Problem
	err      error
}

// watched starts a watch over dir with what text says and returns a function
// that lists what was told so far.
func watched(t *testing.T, dir, text string, wake chan struct{}) func() []told {
	t.Helper()
	write(t, filepath.Join(dir, "portico.yaml"), text)
	o := Options{DataDir: dir}
	c, _, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var heard []told
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go Watch(ctx, o, c, wake, func(c *Config, w []Problem, err error) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, told{c, w, err})
	})
	pass(pace / 2) // what the test does falls between two looks
	return func() []told {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(heard)
	}
}

func pass(d time.Duration) {
	time.Sleep(d) // the clock of the bubble: no time passes outside
	synctest.Wait()
}

func TestWatch(t *testing.T) {
	dir := folder(t)
	file := filepath.Join(dir, "portico.yaml")
	synctest.Test(t, func(t *testing.T) {
		heard := watched(t, dir, sound, nil)
		pass(time.Minute)
		if len(heard()) != 0 {
			t.Fatal("something was told though nothing changed")
		}

		write(t, file, sound+"limits: {attempts: 7}\n")
		pass(3 * pace)
		if len(heard()) != 1 || heard()[0].err != nil || heard()[0].c.Limits.Attempts != 7 {
			t.Fatalf("after a change: %+v", heard())
		}

		write(t, file, sound+"limits: {attempts: no}\n")
		pass(time.Minute)
		if len(heard()) != 2 || heard()[1].err == nil || heard()[1].c != nil {
			t.Fatalf("a bad file must be told once and not take effect: %+v", heard())
		}

		write(t, file, sound+"limits: {attempts: 9}\n")
		pass(3 * pace)
		if len(heard()) != 3 || heard()[2].err != nil || heard()[2].c.Limits.Attempts != 9 {
			t.Fatalf("after the mend: %+v", heard())
		}
	})
}

func TestWatchWaitsUntilTheFileSettles(t *testing.T) {
	dir := folder(t)
	file := filepath.Join(dir, "portico.yaml")
	synctest.Test(t, func(t *testing.T) {
		heard := watched(t, dir, sound, nil)
		for i := range 10 {
			write(t, file, sound+strings.Repeat("#", i+1))
			pass(pace)
		}
		if len(heard()) != 0 {
			t.Errorf("told %d times of a file that was still being written", len(heard()))
		}
		pass(2 * pace)
		if len(heard()) != 1 {
			t.Errorf("told %d times, want once", len(heard()))
		}
	})
}

func TestWatchWakesAtOnce(t *testing.T) {
	dir := folder(t)
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{})
		heard := watched(t, dir, sound, wake)
		wake <- struct{}{}
		synctest.Wait()
		if len(heard()) != 1 || heard()[0].err != nil {
			t.Errorf("%+v", heard())
		}
	})
}

func TestWatchSeesKeyFiles(t *testing.T) {
	dir := folder(t)
	write(t, filepath.Join(dir, "k"), "first\n")
	synctest.Test(t, func(t *testing.T) {
		heard := watched(t, dir, sound+"accounts: [{name: a, provider: b, key_file: k}]\n", nil)
		write(t, filepath.Join(dir, "k"), "the second\n")
		pass(3 * pace)
		if len(heard()) != 1 || heard()[0].c.Accounts[0].APIKey.Reveal() != "the second" {
			t.Errorf("%+v", heard())
		}
	})
}

func TestReload(t *testing.T) {
	for _, tt := range []struct {
		name, before, after string
		check               func(*Config) bool
		warning, err        string
	}{
		{
			"the port stays", "port: 1000\n", "port: 2000\n", func(c *Config) bool { return c.Port == 1000 },
			"port: is 2000 now, but 1000 stays until the server is restarted", "",
		},
		{
			"the connect time stays, since connections are made with it", "", "timeouts: {connect: 3s}\n", func(c *Config) bool { return c.Timeouts.Connect == 10*time.Second },
			"timeouts.connect: is 3s now, but 10s stays until the server is restarted", "",
		},
		{
			"the LAN stays", "auth_mode: strict\nallow_lan_access: true\n", "auth_mode: strict\n", func(c *Config) bool { return c.AllowLAN },
			"allow_lan_access: is false now, but true stays until the server is restarted", "",
		},
		{
			"never open on the LAN", "auth_mode: strict\nallow_lan_access: true\n", "auth_mode: off\n", nil, "",
			"auth_mode: off cannot hold while the server still listens on the network; restart it",
		},
		{"never open on the LAN by both", "auth_mode: strict\nallow_lan_access: true\n", "auth_mode: off\nallow_lan_access: true\n", nil, "", "allow_lan_access: true opens the server"},
		{
			"auto stays closed", "auth_mode: auto\nallow_lan_access: true\n", "auth_mode: auto\n", func(c *Config) bool { return c.Resolve() == AuthAllExceptHealth },
			"allow_lan_access: is false now", "",
		},
		{"a key is not generated anew", "", "REMOVE", nil, "", "api_key: was removed; put it back"},
		{"the file is gone", "", "DELETE", nil, "", "was removed; the server keeps what it read before"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{DataDir: folder(t), Init: true}
			file := filepath.Join(o.DataDir, "portico.yaml")
			write(t, file, sound+tt.before)
			old, _, err := Load(o)
			if err != nil {
				t.Fatal(err)
			}
			switch tt.after {
			case "REMOVE":
				write(t, file, "port: 8045\n")
			case "DELETE":
				os.Remove(file)
			default:
				write(t, file, sound+tt.after)
			}
			c, warnings, err := Reload(old, o)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || c != nil {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil || !tt.check(c) || len(warnings) != 1 || !strings.Contains(warnings[0].String(), tt.warning) {
				t.Errorf("%+v, %v, %v", c, warnings, err)
			}
		})
	}
}

// TestChangedBefore: what changed after it was read, but before anybody
// watched, is seen.
func TestChangedBefore(t *testing.T) {
	dir := folder(t)
	file := filepath.Join(dir, "portico.yaml")
	synctest.Test(t, func(t *testing.T) {
		write(t, file, sound)
		o := Options{DataDir: dir}
		c, _, err := Load(o)
		if err != nil {
			t.Fatal(err)
		}
		write(t, file, sound+"limits: {attempts: 7}\n")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		heard := make(chan *Config, 9)
		go Watch(ctx, o, c, nil, func(c *Config, _ []Problem, _ error) { heard <- c })
		pass(3 * pace)
		if len(heard) != 1 {
			t.Fatalf("told %d times", len(heard))
		}
		if next := <-heard; next == nil || next.Limits.Attempts != 7 {
			t.Errorf("%+v", next)
		}
	})
}

// TestWatchSeesNewKeyFiles: a key file that a reload has found is looked at from
// then on.
func TestWatchSeesNewKeyFiles(t *testing.T) {
	dir := folder(t)
	write(t, filepath.Join(dir, "k"), "first\n")
	synctest.Test(t, func(t *testing.T) {
		heard := watched(t, dir, sound, nil)
		write(t, filepath.Join(dir, "portico.yaml"), sound+"accounts: [{name: a, provider: b, key_file: k}]\n")
		pass(3 * pace)
		write(t, filepath.Join(dir, "k"), "the second\n")
		pass(3 * pace)
		if len(heard()) != 2 || heard()[1].err != nil || heard()[1].c.Accounts[0].APIKey.Reveal() != "the second" {
			t.Errorf("%+v", heard())
		}
	})
}
