package cli

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"portico/internal/admin"
)

type backupCmd struct {
	Create  backupCreate  `cmd:"" help:"Back everything up into one encrypted file."`
	Restore backupRestore `cmd:"" help:"Restore a backup, or see what that would do."`
	List    backupList    `cmd:"" help:"List the snapshots of the accounts that were made by themselves."`
}

// passphraseFlag is where a passphrase comes from.
type passphraseFlag struct {
	PassphraseFile string `name:"passphrase-file" placeholder:"FILE" help:"Read the passphrase from a file; - is standard input. Without it, it is asked for."`
}

func (f *passphraseFlag) read(g *globals, ask func(*globals) (string, error)) (string, error) {
	switch f.PassphraseFile {
	case "":
		return ask(g)
	case "-":
		return firstLine(g.in)
	}
	file, err := os.Open(f.PassphraseFile)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return firstLine(file)
}

type backupCreate struct {
	File   string `arg:"" help:"The file to make."`
	Ledger bool   `help:"With the finished requests, too."`
	Force  bool   `help:"Replace a file that is there."`
	passphraseFlag
}

// Help says what is in it.
func (*backupCreate) Help() string {
	return `The file holds the accounts with their secrets, the client keys (as digests), the rules on addresses, the outbound proxies and the configuration. It is encrypted with a passphrase of at least 12 letters in the format of age, and was read back before it is given out. Without the passphrase nobody can restore it.

Examples:
  portico backup create portico.age
  portico backup create portico.age --ledger --passphrase-file passphrase.txt`
}

// Run makes a backup.
func (c *backupCreate) Run(g *globals) error {
	if _, err := os.Lstat(c.File); err == nil && !c.Force {
		return &failure{exitError, printable(c.File) + " is there already", "--force replaces it"}
	}
	passphrase, err := c.read(g, func(g *globals) (string, error) { return askTwice(g, "Passphrase") })
	if err != nil {
		return err
	}
	in, err := json.Marshal(admin.NewBackup{Passphrase: passphrase, Ledger: c.Ledger})
	if err != nil {
		return err
	}
	return g.with(func(k *client) error {
		resp, err := k.send(g.ctx, http.MethodPost, "/api/backup", strings.NewReader(string(in)))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
			return errors.Join(err, refused(resp.StatusCode, b))
		}
		n, err := save(c.File, resp.Body)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(g.out, "%s has %d bytes\n", printable(c.File), n)
		return err
	})
}

// save writes r into a file that appears, or is replaced, whole and once it is
// on the disk, and that only its owner may read.
func save(path string, r io.Reader) (int64, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".backup-*.tmp") // 0600
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	n, err := io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	return n, os.Rename(f.Name(), path)
}

type backupRestore struct {
	File   string   `arg:"" help:"A backup, or the name of a snapshot."`
	DryRun bool     `name:"dry-run" help:"Say what would be done and do nothing."`
	Keep   bool     `help:"Only add what is missing; what is there stays."`
	Only   []string `placeholder:"PART,..." help:"Only these: accounts, keys, rules, proxies, config, ledger. All but the ledger by default."`
	JSON   bool     `name:"json" help:"Print JSON."`
	passphraseFlag
}

// Help says what is replaced.
func (*backupRestore) Help() string {
	return `What is missing is added, what has the same name is replaced, and what the backup does not have stays. The file is read whole and checked before anything is changed, and a snapshot of the accounts is made before. The configuration is replaced as a whole, with api_key and admin_token.

Examples:
  portico backup restore portico.age --dry-run
  portico backup restore portico.age --only accounts,keys --keep
  portico backup restore accounts-20261125T060000.000Z-daily.db`
}

// Run restores.
func (c *backupRestore) Run(g *globals) error {
	fields := map[string]string{"preview": strconv.FormatBool(c.DryRun), "keep": strconv.FormatBool(c.Keep), "parts": strings.Join(c.Only, ",")}
	var file io.Reader
	f, err := os.Open(c.File)
	switch {
	case errors.Is(err, os.ErrNotExist) && filepath.Base(c.File) == c.File && strings.HasPrefix(c.File, "accounts-"):
		fields["snapshot"] = c.File
	case err != nil:
		return err
	default:
		defer f.Close()
		file = f
		if fields["passphrase"], err = c.read(g, func(g *globals) (string, error) {
			text, _, err := askHidden(g, "Passphrase")
			return text, err
		}); err != nil {
			return err
		}
	}
	return g.with(func(k *client) error {
		var done admin.Restored
		if err := k.upload(g.ctx, "/api/restore", fields, file, &done); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(g.out, done)
		}
		return c.tell(g, &done)
	})
}

func (c *backupRestore) tell(g *globals, r *admin.Restored) error {
	rows := make([][]string, 0, len(r.Changes))
	for _, x := range r.Changes {
		rows = append(rows, []string{x.What, x.Kind, x.Name})
	}
	if len(rows) > 0 {
		if err := table(g.out, "WHAT\tKIND\tNAME", rows); err != nil {
			return err
		}
	}
	var err error
	switch {
	case r.Preview:
		_, err = fmt.Fprintln(g.out, "nothing was changed")
	case r.Requests > 0:
		_, err = fmt.Fprintf(g.out, "restored, with %d requests\n", r.Requests)
	default:
		_, err = fmt.Fprintln(g.out, "restored")
	}
	return err
}

type backupList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Help says when they are made.
func (*backupList) Help() string {
	return `Portico copies the database of accounts once a day while there are changes (7 copies are kept), before each change of its schema, and before each restore (3 are kept). They lie below backups/ in the data folder; what is sealed in them stays sealed and needs this folder's key.

Examples:
  portico backup list
  portico backup list --json`
}

// Run lists snapshots.
func (c *backupList) Run(g *globals) error {
	return listing(g, "/api/backups", c.JSON, "There is no snapshot yet.", "NAME\tWHY\tMADE\tBYTES", func(s *admin.Snapshot) []string {
		return []string{s.Name, s.Why, stamp(s.Made), strconv.FormatInt(s.Bytes, 10)}
	})
}

// upload sends a form with a file at its end, as it is read, and reads the
// answer into out.
func (c *client) upload(ctx context.Context, path string, fields map[string]string, file io.Reader, out any) error {
	pr, pw := io.Pipe()
	defer pr.Close()
	form := multipart.NewWriter(pw)
	go func() {
		var err error
		for name, v := range fields {
			err = errors.Join(err, form.WriteField(name, v))
		}
		if file != nil && err == nil {
			var part io.Writer
			if part, err = form.CreateFormFile("file", "backup"); err == nil {
				_, err = io.Copy(part, file)
			}
		}
		pw.CloseWithError(errors.Join(err, form.Close()))
	}()
	resp, err := c.sendAs(ctx, http.MethodPost, path, form.FormDataContentType(), pr)
	if err != nil {
		return err
	}
	return taken(resp, out)
}
