package backup

import (
	"archive/tar"
	"bytes"
	"encoding/json/v2"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/clientkey"
	"portico/internal/config"
	"portico/internal/secret"
)

const phrase = "correct horse battery"

func TestMain(m *testing.M) {
	work = 8
	os.Exit(m.Run())
}

// fill sets everything in v that is not set to something that is not zero.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("text " + strings.Repeat("x", *n%7))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(*n+i) % 256)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		switch v.Interface().(type) {
		case time.Time:
			v.Set(reflect.ValueOf(time.Date(2026, 11, 25, 12, *n%60, 0, 0, time.UTC)))
		case secret.Text:
			v.Set(reflect.ValueOf(secret.Of("sk-CANARY-0123456789abcdef")))
		default:
			for _, field := range v.Fields() {
				fill(field, n)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	default:
		panic("a field of a kind that the test does not know: " + v.Kind().String())
	}
}

// sample has something in every field that there is, so that one that is added
// is tested by itself.
func sample(t *testing.T) *Contents {
	t.Helper()
	c := &Contents{
		Head:     Head{format, "v1.2.3", time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)},
		Accounts: make([]config.Account, 2), Keys: make([]clientkey.Record, 2),
		Rules:   []Rule{{true, netip.MustParsePrefix("203.0.113.0/24"), "scanner", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, {Range: netip.MustParsePrefix("2001:db8::/32")}},
		Proxies: []Proxy{{"a", secret.Of("http://u:CANARY@127.0.0.1:1"), true}, {Name: "b", URL: secret.Of("socks5://127.0.0.1:2")}},
		Config:  []byte("# mine\nport: 9000\n"),
	}
	n := 0
	fill(reflect.ValueOf(&c.Accounts[0]).Elem(), &n)
	fill(reflect.ValueOf(&c.Keys[0]).Elem(), &n)
	return c
}

func written(t *testing.T, c *Contents, ledger string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if ledger == "" {
		err = Write(&b, phrase, c, nil, 0)
	} else {
		err = Write(&b, phrase, c, strings.NewReader(ledger), int64(len(ledger)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	want := sample(t)
	for _, ledger := range []string{"", strings.Repeat("rows", 100_000)} {
		b := written(t, want, ledger)
		if bytes.Contains(b, []byte("CANARY")) {
			t.Error("the file shows a secret")
		}
		var rows bytes.Buffer
		got, size, err := Read(bytes.NewReader(b), phrase, &rows)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(secret.Text{}), cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
			t.Error(diff)
		}
		if rows.String() != ledger || size != int64(len(ledger)) {
			t.Errorf("the ledger has %d bytes, told are %d", rows.Len(), size)
		}
		if _, size, err := Read(bytes.NewReader(b), phrase, nil); err != nil || size != int64(len(ledger)) {
			t.Errorf("passing over it: %d, %v", size, err)
		}
	}
	empty := &Contents{Head: want.Head}
	if got, _, err := Read(bytes.NewReader(written(t, empty, "")), phrase, nil); err != nil || got.Config != nil || len(got.Accounts)+len(got.Keys)+len(got.Rules) > 0 {
		t.Errorf("an empty one: %+v, %v", got, err)
	}
}

// TestDamaged: a file that is cut off or changed anywhere gives nothing.
func TestDamaged(t *testing.T) {
	b := written(t, sample(t), strings.Repeat("rows", 30_000))
	for _, n := range []int{0, 1, 50, 200, 1000, len(b) / 2, len(b) - 20, len(b) - 1} {
		if c, _, err := Read(bytes.NewReader(b[:n]), phrase, nil); c != nil || !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrPassphrase) {
			t.Errorf("its first %d bytes: %v", n, err)
		}
	}
	for at := 3; at < len(b); at += 1 + len(b)/50 {
		flipped := bytes.Clone(b)
		flipped[at] ^= 1 << (at % 8)
		if c, _, err := Read(bytes.NewReader(flipped), phrase, nil); c != nil || !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrPassphrase) {
			t.Errorf("with a bit of byte %d flipped: %v", at, err)
		}
	}
	if c, _, err := Read(bytes.NewReader(append(bytes.Clone(b), 'x')), phrase, nil); c != nil || err == nil {
		t.Errorf("with a byte too many: %v", err)
	}
}

func TestPassphrases(t *testing.T) {
	b := written(t, sample(t), "")
	for _, p := range []string{"", "correct horse batter", "CORRECT HORSE BATTERY"} {
		if _, _, err := Read(bytes.NewReader(b), p, nil); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%q: %v", p, err)
		}
	}
	if err := Write(&bytes.Buffer{}, "elf letters", sample(t), nil, 0); !errors.Is(err, ErrShort) {
		t.Errorf("a short one: %v", err)
	}
	var costly bytes.Buffer
	to, err := age.NewScryptRecipient(phrase)
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(8)
	w, err := age.Encrypt(&costly, to)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	asks := bytes.Replace(costly.Bytes(), []byte(" 8\n"), []byte(" 22\n"), 1)
	began := time.Now()
	if _, _, err := Read(bytes.NewReader(asks), phrase, nil); !errors.Is(err, ErrPassphrase) || time.Since(began) > 5*time.Second {
		t.Errorf("a file that asks for gigabytes: %v after %s", err, time.Since(began))
	}
}

// archive is an encrypted archive of those entries.
func archive(t *testing.T, entries ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	to, err := age.NewScryptRecipient(phrase)
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(8)
	w, err := age.Encrypt(&b, to)
	if err != nil {
		t.Fatal(err)
	}
	a := tar.NewWriter(w)
	for _, e := range entries {
		if err := put(a, e[0], []byte(e[1]), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestForeignArchives: who knows the passphrase may put anything into a file.
// Names lead nowhere, what is newer is refused, and secrets are in no error.
func TestForeignArchives(t *testing.T) {
	head := [2]string{headPart, `{"format":1,"version":"v1","made":"2026-11-25T12:00:00Z"}`}
	many := [][2]string{head}
	for range maxParts {
		many = append(many, [2]string{"x", ""})
	}
	for name, tt := range map[string]struct {
		entries [][2]string
		want    error
	}{
		"nothing":         {nil, ErrDamaged},
		"no head":         {[][2]string{{accountsPart, "[]"}}, ErrDamaged},
		"another head":    {[][2]string{{headPart, `{}`}}, ErrDamaged},
		"newer":           {[][2]string{{headPart, `{"format":2}`}}, ErrNewer},
		"no JSON":         {[][2]string{head, {accountsPart, `[{"Name":1}]`}}, ErrDamaged},
		"a secret as key": {[][2]string{head, {accountsPart, `[{"APIKey":{"sk-CANARY-0":1}}]`}}, ErrDamaged},
		"many":            {many, ErrDamaged},
		"other names":     {[][2]string{head, {"../../etc/passwd", "x"}, {"/etc/passwd", "y"}}, nil},
	} {
		_, _, err := Read(bytes.NewReader(archive(t, tt.entries...)), phrase, nil)
		if !errors.Is(err, tt.want) || err != nil && strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestPlan(t *testing.T) {
	account := func(name, key string) config.Account { return config.Account{Name: name, APIKey: secret.Of(key)} }
	key := func(name string, digest byte, note string) clientkey.Record {
		return clientkey.Record{Name: name, Digest: clientkey.Digest{digest}, Note: note, Version: int64(digest)}
	}
	rule := func(r, reason string) Rule { return Rule{Range: netip.MustParsePrefix(r), Reason: reason} }
	have := &Contents{
		Accounts: []config.Account{account("a", "1"), account("b", "1"), account("mine", "1")},
		Keys:     []clientkey.Record{key("a", 1, ""), key("b", 2, ""), key("c", 3, "")},
		Rules:    []Rule{rule("10.0.0.0/8", ""), rule("10.1.0.0/16", "")}, Config: []byte("port: 1\n"),
		Proxies: []Proxy{{"p", secret.Of("http://a:1"), false}, {"q", secret.Of("http://b:1"), false}},
	}
	from := &Contents{
		Accounts: []config.Account{account("a", "1"), account("b", "2"), account("new", "1")},
		Keys:     []clientkey.Record{key("a", 1, ""), key("b", 9, ""), key("c", 3, "changed"), key("new", 4, "")},
		Rules:    []Rule{rule("10.0.0.0/8", ""), rule("10.1.0.0/16", "why"), rule("192.0.2.0/24", "")}, Config: []byte("port: 2\n"),
		Proxies: []Proxy{{"p", secret.Of("http://a:1"), false}, {"q", secret.Of("http://b:2"), false}},
	}
	all := map[string]bool{Accounts: true, Keys: true, Rules: true, Proxies: true, Config: true}
	for _, tt := range []struct {
		parts map[string]bool
		keep  bool
		want  string
		puts  int
	}{
		{all, false, "account a same, account b replace, account new add, key a same, key b replace, key c replace, key new add, " +
			"rule 10.0.0.0/8 same, rule 10.1.0.0/16 replace, rule 192.0.2.0/24 add, proxy p same, proxy q replace, config portico.yaml replace", 9},
		{all, true, "account a same, account b keep, account new add, key a same, key b keep, key c keep, key new add, " +
			"rule 10.0.0.0/8 same, rule 10.1.0.0/16 keep, rule 192.0.2.0/24 add, proxy p same, proxy q keep, config portico.yaml keep", 3},
		{map[string]bool{Rules: true}, false, "rule 10.0.0.0/8 same, rule 10.1.0.0/16 replace, rule 192.0.2.0/24 add", 2},
		{nil, false, "", 0},
	} {
		p := NewPlan(have, from, tt.parts, tt.keep)
		var got []string
		for _, c := range p.Changes {
			got = append(got, c.Kind+" "+c.Name+" "+c.What)
		}
		puts := len(p.Accounts) + len(p.Keys) + len(p.Rules) + len(p.Proxies)
		if p.Config != nil {
			puts++
		}
		if s := strings.Join(got, ", "); s != tt.want || puts != tt.puts {
			t.Errorf("parts %v, keep %v: %d puts, %s", tt.parts, tt.keep, puts, s)
		}
	}
	if p := NewPlan(&Contents{}, from, all, false); p.Changes[len(p.Changes)-1].What != Add {
		t.Errorf("without a configuration: %+v", p.Changes)
	}
	if p := NewPlan(have, &Contents{Config: have.Config}, all, false); p.Config != nil || p.Changes[0].What != Same {
		t.Errorf("with the same configuration: %+v", p.Changes)
	}
}

// FuzzTake: no entry makes Read panic or believe what it should not.
func FuzzTake(f *testing.F) {
	f.Add("accounts.json", []byte(`[{"Name":"a","APIKey":"sk-1"}]`))
	f.Add("portico.json", []byte(`{"format":1}`))
	f.Add("rules.json", []byte(`[{"Range":"10.0.0.0/8"}]`))
	f.Add("keys.json", []byte(`[{"Digest":"AAAA"}]`))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		c := &Contents{Format: format}
		if err := c.take(name, b); err != nil {
			return
		}
		if _, err := json.Marshal(c.Accounts, revealed); err != nil {
			t.Skip() // text that is not UTF-8 is told where it is stored
		}
	})
}
