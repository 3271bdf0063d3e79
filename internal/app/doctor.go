package app

import (
	"context"
	"fmt"
	"os"

	"portico/internal/admin"
	"portico/internal/config"
	"portico/internal/secret"
)

// doctor checks what only the whole can see.
func (a *App) doctor(context.Context) []admin.Check {
	c := a.config.Load()
	return []admin.Check{a.checkFolder(c), a.checkSetAside(), checkKey(c), checkSeal(a.sealer.Place())}
}

func (a *App) checkFolder(c *config.Config) admin.Check {
	if err := config.CheckDir(c.DataDir); err != nil {
		return admin.Check{Name: "data_folder", State: admin.Fail, Text: err.Error(), Fix: "chmod 700 " + c.DataDir}
	}
	return admin.Check{Name: "data_folder", State: admin.OK, Text: "The data folder is closed to others."}
}

func (a *App) checkSetAside() admin.Check {
	if n := len(a.store.Broken()); n > 0 {
		return admin.Check{Name: "damage", State: admin.Warn, Text: fmt.Sprintf("%d damaged database files were set aside in the data folder.", n), Fix: "Keep them until you know that nothing is missing, then delete them."}
	}
	return admin.Check{Name: "damage", State: admin.OK, Text: "No database was found damaged since the start."}
}

func checkKey(c *config.Config) admin.Check {
	info, err := os.Stat(c.File)
	switch {
	case c.File == "" || err != nil:
		return admin.Check{Name: "config_file", State: admin.OK, Text: "There is no configuration file; defaults and the environment decide."}
	case info.Mode().Perm()&0o077 != 0:
		return admin.Check{Name: "config_file", State: admin.Fail, Text: "Others on this machine can read the configuration file, which holds keys.", Fix: "chmod 600 " + c.File}
	}
	return admin.Check{Name: "config_file", State: admin.OK, Text: "Only you can read the configuration file."}
}

// checkSeal is about the key that seals credentials.
func checkSeal(p secret.Place) admin.Check {
	c := admin.Check{Name: "secret_key", State: admin.OK, Text: "Nothing was sealed yet; the key is made when there is something."}
	switch p.In {
	case secret.InKeychain:
		c.Text = "Credentials are sealed with a key in the system's keychain."
	case secret.InFile:
		c.Text = "Credentials are sealed with the key in " + p.Path + ", which only you can read."
	}
	if p.Why != "" {
		c.State, c.Text = admin.Warn, c.Text+" "+sentence(p.Why)
		c.Fix = "Make the keychain work and start Portico anew, or set secret_store to where the key is."
	}
	return c
}
