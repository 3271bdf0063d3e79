package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"portico/internal/admin"
	"portico/internal/backup"
	"portico/internal/config"
	"portico/internal/credential"
	"portico/internal/provider"
	"portico/internal/secret"
	"portico/internal/store"
	"portico/internal/version"
)

// backups are the operator's backups and restores. One is under way at a time:
// a passphrase costs memory.
type backups struct{ *App }

// errBusy: another one is under way.
var errBusy = admin.Busy{Err: errors.New("a backup or a restore is under way already; try again when it is done")}

// A temporary is a file that is gone once it was closed.
type temporary struct{ *os.File }

// Close implements io.Closer.
func (t temporary) Close() error { return errors.Join(t.File.Close(), os.Remove(t.Name())) }

func (b backups) temporary(pattern string) (temporary, error) {
	f, err := os.CreateTemp(b.config.Load().DataDir, pattern) // 0600; a start clears away what a crash has left
	return temporary{f}, err
}

// Backup implements admin.Backups.
func (b backups) Backup(ctx context.Context, passphrase string, ledger bool) (_ io.ReadCloser, err error) {
	if err := backup.CheckPassphrase(passphrase); err != nil {
		return nil, admin.Invalid{Err: err}
	}
	if !b.backing.TryLock() {
		return nil, errBusy
	}
	defer b.backing.Unlock()
	c, err := contentsOf(ctx, b.store, b.config.Load())
	if err == nil {
		err = b.renewed(c.Accounts)
	}
	if err != nil {
		return nil, err
	}
	c.Version, c.Made = version.String(), time.Now().UTC()
	out, err := b.temporary(".backup-*.tmp")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			out.Close()
		}
	}()
	var rows io.Reader
	var size int64
	if ledger {
		path := out.Name() + "-ledger.tmp"
		defer os.Remove(path)
		if err := errors.Join(b.Flush(ctx), b.store.CopyLedger(ctx, path)); err != nil {
			return nil, err
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		rows, size = f, info.Size()
	}
	if err := backup.Write(out, passphrase, c, rows, size); err != nil {
		return nil, err
	}
	// A backup that cannot be read is worse than none.
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if _, _, err := backup.Read(out, passphrase, nil); err != nil {
		return nil, fmt.Errorf("the backup was written and cannot be read: %w", err)
	}
	_, err = out.Seek(0, io.SeekStart)
	return out, err
}

// renewed gives accounts that have signed in the refresh tokens that have taken
// the place of their first ones, which their issuers may not take any more.
func (b backups) renewed(accounts []config.Account) error {
	for i := range accounts {
		c := &accounts[i]
		signer, ok := b.providers[c.Provider].(provider.Signer)
		if !ok || !credential.IsDocument(c.APIKey) {
			continue
		}
		old, err := credential.Parse(c.APIKey, signer.Login())
		if err != nil {
			continue // a document of another kind, which stays as it is
		}
		now, err := b.vault.Latest(old)
		if err != nil {
			return fmt.Errorf("account %s: %w", c.Name, err)
		}
		if now != old {
			c.APIKey = now.Text()
		}
	}
	return nil
}

// contentsOf is what s and c hold.
func contentsOf(ctx context.Context, s *store.Store, c *config.Config) (*backup.Contents, error) {
	x := &backup.Contents{}
	accounts, err := s.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		if a.Damage != "" {
			return nil, admin.Invalid{Err: fmt.Errorf("the account %s cannot be read whole (%s); mend or remove it first", a.Name, a.Damage)}
		}
		x.Accounts = append(x.Accounts, a.Account)
	}
	if x.Keys, err = s.Keys(ctx); err != nil {
		return nil, err
	}
	rules, err := s.Rules(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		x.Rules = append(x.Rules, backup.Rule{Deny: r.Deny, Range: r.Range, Reason: r.Reason, Expires: r.Expires})
	}
	proxies, err := s.Proxies(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range proxies {
		if p.Damage != "" {
			return nil, admin.Invalid{Err: fmt.Errorf("the proxy %s cannot be read (%s); mend or remove it first", p.Name, p.Damage)}
		}
		x.Proxies = append(x.Proxies, backup.Proxy{Name: p.Name, URL: secret.Of(p.URL), Disabled: p.Disabled})
	}
	if c != nil {
		x.Config, err = c.Text()
	}
	return x, err
}

// Snapshots implements admin.Backups.
func (b backups) Snapshots() ([]store.Snapshot, error) { return b.store.Snapshots() }

// Restore implements admin.Backups.
func (b backups) Restore(ctx context.Context, in *admin.RestoreAsk) (out admin.Restored, err error) {
	if !b.backing.TryLock() {
		return out, errBusy
	}
	defer b.backing.Unlock()
	var ledger *temporary
	if in.Parts[backup.Ledger] && in.Snapshot == "" {
		f, err := b.temporary(".restore-*.tmp")
		if err != nil {
			return out, err
		}
		defer f.Close()
		ledger = &f
	}
	from, rows, err := b.read(ctx, in, ledger)
	if err != nil {
		return out, err
	}
	have, err := contentsOf(ctx, b.store, b.config.Load())
	if err == nil {
		err = b.renewed(have.Accounts)
	}
	if err != nil {
		return out, err
	}
	plan := backup.NewPlan(have, from, in.Parts, in.Keep)
	if err := b.check(plan); err != nil {
		return out, err
	}
	out = admin.Restored{Made: from.Made, Version: from.Version, Preview: in.Preview, Ledger: rows > 0}
	for _, c := range plan.Changes {
		out.Changes = append(out.Changes, admin.RestoreChange(c))
	}
	if in.Preview {
		return out, nil
	}
	return out, b.carryOut(ctx, plan, &out, ledger, rows)
}

// read reads what is restored, and says how many bytes of ledger there are.
func (b backups) read(ctx context.Context, in *admin.RestoreAsk, ledger *temporary) (*backup.Contents, int64, error) {
	if in.Snapshot != "" {
		s, err := b.store.OpenSnapshot(in.Snapshot)
		if err != nil {
			return nil, 0, admin.Invalid{Err: fmt.Errorf("the snapshot %q cannot be opened: %w", in.Snapshot, err)}
		}
		defer s.Close()
		c, err := contentsOf(ctx, s.Store, nil)
		return c, 0, err
	}
	var to io.Writer
	if ledger != nil {
		to = ledger
	}
	c, rows, err := backup.Read(in.File, in.Passphrase, to)
	if err != nil {
		return nil, 0, admin.Invalid{Err: err}
	}
	return c, rows, nil
}

// check says why a plan cannot be carried out. Nothing was changed by then.
func (b backups) check(p *backup.Plan) error {
	check := checking(b.providers)
	for _, c := range p.Accounts {
		if err := check(c); err != nil {
			return admin.Invalid{Err: fmt.Errorf("account %s: %w", c.Name, err)}
		}
	}
	for _, x := range p.Proxies {
		if err := config.CheckProxy(x.Name, x.URL.Reveal()); err != nil {
			return admin.Invalid{Err: fmt.Errorf("proxy %s: %w", x.Name, err)}
		}
	}
	if p.Config == nil {
		return nil
	}
	if err := b.config.Load().CheckText(b.options, p.Config); err != nil {
		return admin.Invalid{Err: fmt.Errorf("the configuration in the backup is not taken: %w", err)}
	}
	return nil
}

// carryOut does what p says: what is in the database in one transaction, after
// a snapshot of it, then the configuration, then the ledger, which is only ever
// added to.
func (b backups) carryOut(ctx context.Context, p *backup.Plan, out *admin.Restored, ledger *temporary, rows int64) error {
	ctx = context.WithoutCancel(ctx) // who asks may leave; half a restore helps nobody
	if len(p.Accounts)+len(p.Keys)+len(p.Rules)+len(p.Proxies) > 0 {
		lot := &store.Lot{Accounts: p.Accounts, Keys: p.Keys}
		for _, r := range p.Rules {
			lot.Rules = append(lot.Rules, store.Rule{Deny: r.Deny, Range: r.Range, Reason: r.Reason, Expires: r.Expires})
		}
		for _, x := range p.Proxies {
			lot.Proxies = append(lot.Proxies, store.Proxy{Name: x.Name, URL: x.URL.Reveal(), Disabled: x.Disabled})
		}
		if err := b.store.SnapshotNow(ctx); err != nil {
			return err
		}
		if err := b.store.Put(ctx, lot); err != nil {
			return told(err)
		}
	}
	if p.Config != nil {
		if err := b.config.Load().WriteText(p.Config); err != nil {
			return err
		}
	}
	if ledger != nil && rows > 0 {
		added, err := b.store.MergeLedger(ctx, ledger.Name())
		if err != nil {
			return err
		}
		out.Requests = added
	}
	if p.Config != nil {
		if _, err := b.Reload(ctx); err != nil {
			return err
		}
	}
	return errors.Join(b.refresh(), b.setKeys(ctx), b.setRules(ctx))
}
