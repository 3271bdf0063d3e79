//go:build linux

package keychain

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A secretService is a Secret Service with one collection, in memory: what the
// freedesktop.org specification says, as far as the library asks.
type secretService struct {
	conn *dbus.Conn

	mu    sync.Mutex
	items map[dbus.ObjectPath]*item
	n     int
}

type item struct {
	s     *secretService
	path  dbus.ObjectPath
	attrs map[string]string
	value []byte
}

type sealed struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

const (
	root  = dbus.ObjectPath("/org/freedesktop/secrets")
	login = dbus.ObjectPath("/org/freedesktop/secrets/collection/login")
	none  = dbus.ObjectPath("/")
)

func (s *secretService) OpenSession(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
	return dbus.MakeVariant(""), root + "/session/1", nil
}

func (s *secretService) Unlock(paths []dbus.ObjectPath) ([]dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	return paths, none, nil
}

func (s *secretService) Close() *dbus.Error { return nil }

// Get implements org.freedesktop.DBus.Properties.
func (s *secretService) Get(string, string) (dbus.Variant, *dbus.Error) {
	return dbus.MakeVariant([]dbus.ObjectPath{login}), nil
}

func (s *secretService) SearchItems(attrs map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []dbus.ObjectPath
	for path, x := range s.items {
		if x.attrs["username"] == attrs["username"] && x.attrs["service"] == attrs["service"] {
			out = append(out, path)
		}
	}
	return out, nil
}

func (s *secretService) CreateItem(properties map[string]dbus.Variant, secret sealed, _ bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	x := &item{s: s, path: login + dbus.ObjectPath(fmt.Sprintf("/%d", s.n)), value: secret.Value}
	if err := properties["org.freedesktop.Secret.Item.Attributes"].Store(&x.attrs); err != nil {
		return none, none, dbus.MakeFailedError(err)
	}
	s.items[x.path] = x
	if err := s.conn.Export(x, x.path, "org.freedesktop.Secret.Item"); err != nil {
		return none, none, dbus.MakeFailedError(err)
	}
	return x.path, none, nil
}

func (x *item) GetSecret(session dbus.ObjectPath) (sealed, *dbus.Error) {
	return sealed{session, []byte{}, x.value, "text/plain"}, nil
}

func (x *item) Delete() (dbus.ObjectPath, *dbus.Error) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	delete(x.s.items, x.path)
	return none, nil
}

// bus starts a bus of its own and returns its address.
func bus(t *testing.T) string {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("there is no dbus-daemon")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(conf, []byte(`<busconfig><type>session</type><listen>unix:tmpdir=`+dir+`</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), daemon, "--config-file="+conf, "--nofork", "--print-address=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip("dbus-daemon does not start:", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Skip("dbus-daemon tells no address:", err)
	}
	return strings.TrimSpace(line)
}

// TestSecretService: the whole way over D-Bus to a Secret Service and back. It
// runs as a process of its own, since the library keeps the first bus and the
// first backend that it sees.
func TestSecretService(t *testing.T) {
	if os.Getenv("PORTICO_TEST_BUS") != "" {
		c := &Chain{10 * time.Second, ready}
		if err := c.Set("one", "secret"); err != nil {
			t.Fatal(err)
		}
		if text, err := c.Get("one"); text != "secret" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		if _, err := c.Get("two"); err == nil {
			t.Error("another key is there")
		}
		if err := c.Delete("one"); err != nil {
			t.Error(err)
		}
		if _, err := c.Get("one"); err == nil {
			t.Error("it was not deleted")
		}
		return
	}
	address := bus(t)
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := &secretService{conn: conn, items: map[dbus.ObjectPath]*item{}}
	for path, names := range map[dbus.ObjectPath][]string{
		root:                {"org.freedesktop.Secret.Service", "org.freedesktop.DBus.Properties"},
		login:               {"org.freedesktop.Secret.Collection"},
		root + "/session/1": {"org.freedesktop.Secret.Session"},
	} {
		for _, name := range names {
			if err := conn.Export(s, path, name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if reply, err := conn.RequestName("org.freedesktop.secrets", dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSecretService$", "-test.v")
	cmd.Env = append(os.Environ(), "PORTICO_TEST_BUS=1", "DBUS_SESSION_BUS_ADDRESS="+address)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n != 1 || len(s.items) != 0 {
		t.Errorf("the service saw %d items, and has %d", s.n, len(s.items))
	}
}
