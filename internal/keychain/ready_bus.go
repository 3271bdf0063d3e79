//go:build unix && !darwin

package keychain

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// ready looks for the bus of a session: without one, the library would start a
// bus of its own, which knows no keychain and would stay.
func ready() error {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return nil
	}
	if os.Getenv("XDG_RUNTIME_DIR") != "" {
		if _, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus")); err == nil {
			return nil
		}
	}
	return errors.New("there is no D-Bus of a session, on which a keychain would be")
}
