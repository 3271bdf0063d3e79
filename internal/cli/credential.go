package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"portico/internal/admin"
)

// credentialFlags say where a credential is. None of them is one.
type credentialFlags struct {
	Key            string `placeholder:"env:NAME" xor:"credential" help:"Read the key from an environment variable: env:NAME. Without a flag the key is asked for."`
	KeyFile        string `name:"key-file" placeholder:"FILE" xor:"credential" help:"Read the key from a file; - is standard input."`
	KeyEnv         string `name:"key-env" placeholder:"NAME" xor:"credential" help:"The same as --key env:NAME."`
	NoKey          bool   `name:"no-key" xor:"credential" help:"The upstream needs no key."`
	ServiceAccount string `name:"service-account" placeholder:"FILE" xor:"credential" help:"The JSON key of a Google service account."`
	ADC            bool   `name:"adc" xor:"credential" help:"Google's application default credentials of this machine: the file that GOOGLE_APPLICATION_CREDENTIALS names, or the one of gcloud."`
	RefreshToken   string `name:"refresh-token-file" placeholder:"FILE" xor:"credential" help:"Read an OAuth refresh token from a file; - is standard input. It needs --client."`
}

// maxSecret bounds what is read as a credential, in bytes.
const maxSecret = 64 << 10

// read puts the credential into d.
func (c *credentialFlags) read(g *globals, sign *loginFlags, d *admin.Draft) (err error) {
	switch {
	case c.RefreshToken != "":
		if d.Client, err = sign.client(g); err == nil {
			d.Refresh, err = readSecret(g, c.RefreshToken)
		}
		return err
	case sign.Client != "":
		return &failure{exitUsage, "--client is for --login, --paste, --device and --refresh-token-file", ""}
	case c.NoKey || d.Provider == "simulator":
		return nil
	case c.Key != "":
		name, ok := strings.CutPrefix(c.Key, "env:")
		if !ok || name == "" { // what was given is not repeated, for it may be a key
			return &failure{exitUsage, "--key takes env:NAME, never the key itself: everybody on this machine can read a command line", "give that key up if it is one; it stands in the shell's history now"}
		}
		d.APIKey, err = g.variable(name)
	case c.KeyEnv != "":
		d.APIKey, err = g.variable(c.KeyEnv)
	case c.KeyFile != "":
		d.APIKey, err = readSecret(g, c.KeyFile)
	case c.ServiceAccount != "":
		d.APIKey, err = readSecret(g, c.ServiceAccount)
	case c.ADC:
		d.APIKey, err = g.defaultCredentials()
	default:
		d.APIKey, err = ask(g)
	}
	return err
}

// variable reads a variable of the environment.
func (g *globals) variable(name string) (string, error) {
	if value := g.getenv(name); value != "" {
		return strings.TrimSpace(value), nil
	}
	return "", &failure{exitUsage, "the environment has no " + name, ""}
}

func (g *globals) getenv(name string) string {
	for _, v := range g.env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// readSecret reads a file, or standard input for "-".
func readSecret(g *globals, name string) (string, error) {
	text, err := readFile(g, name, maxSecret)
	if text = strings.TrimSpace(text); text == "" && err == nil {
		err = &failure{exitUsage, name + " is empty", ""}
	}
	return text, err
}

// defaultCredentials reads the file in which Google's own libraries look for
// credentials first; spec: upstreams §3.5. The metadata server of Google's
// machines is not asked.
func (g *globals) defaultCredentials() (string, error) {
	name := g.getenv("GOOGLE_APPLICATION_CREDENTIALS")
	if name == "" {
		name = filepath.Join(g.gcloud(), "application_default_credentials.json")
	}
	text, err := readSecret(g, name)
	if errors.Is(err, os.ErrNotExist) {
		return "", &failure{exitError, "there are no application default credentials at " + name, "gcloud auth application-default login"}
	}
	return text, err
}

// gcloud is the folder of Google's command line.
func (g *globals) gcloud() string {
	if dir := g.getenv("CLOUDSDK_CONFIG"); dir != "" {
		return dir
	}
	if dir := g.getenv("APPDATA"); dir != "" { // of Windows
		return filepath.Join(dir, "gcloud")
	}
	return filepath.Join(g.getenv("HOME"), ".config", "gcloud")
}

// ask reads a key from the terminal without showing it, or a line from
// whatever else standard input is.
func ask(g *globals) (string, error) {
	if f, ok := g.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(g.err, "API key: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(g.err)
		return strings.TrimSpace(string(b)), err
	}
	line, err := bufio.NewReader(io.LimitReader(g.in, maxSecret)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if line = strings.TrimSpace(line); line == "" && err == nil {
		return "", &failure{exitUsage, "no key was given", "pass it on standard input, by --key-file or --key env:NAME; --no-key for upstreams without"}
	}
	return line, err
}
