//go:build !unix

package secret

import "os"

// checkMode asks nothing where permissions are not modes; the data folder
// inherits those of the user's profile.
func checkMode(*os.File) error { return nil }

// syncDir does nothing where a folder cannot be synced.
func syncDir(string) error { return nil }
