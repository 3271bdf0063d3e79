// Package credential turns what an operator owns at an issuer of tokens, an
// OAuth refresh token or a service account's key, into access tokens, and keeps
// them: on the disk before they are used, and for all processes that share the
// data folder.
//
// A [Credential] is read from one of Google's own JSON forms and is pure. A
// [Vault] has a [Source] for each, which is the provider.Tokens of its
// accounts.
package credential

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"portico/internal/provider"
	"portico/internal/secret"
)

// A Kind is a form of credential, as the document's type has it.
type Kind string

// The kinds.
const (
	User    Kind = "authorized_user" // an OAuth refresh token
	Service Kind = "service_account" // a key that signs requests for tokens (RFC 7523)
	// Program is a program's own id and secret at Microsoft's Entra ID.
	Program Kind = "client_credentials"
)

// MaxDocument bounds a document in bytes. A service account's has 2.4 KB.
const MaxDocument = 64 << 10

// A Credential is what access tokens are asked for with. It is not changed once
// it is made.
type Credential struct {
	Kind     Kind
	TokenURL string
	Scopes   []string

	// Of a user.
	ClientID     string
	ClientSecret secret.Text
	Refresh      secret.Text // as it was given; the issuer may have replaced it since
	Subject      string      // the issuer's own name of the user, "" if it is not known
	Userinfo     string      // where the issuer says whose a token is, ""

	// Of a service.
	Email string // of a user too, if it is known
	KeyID string
	Key   secret.Text // PEM

	Project      string // that the credential belongs to, "" if it names none
	QuotaProject string // that is to be charged, "" for the credential's own
}

// document is the JSON form: Google's, and of ours what it has no place for.
type document struct {
	Type         string   `json:"type"`
	ClientID     string   `json:"client_id,omitzero"`
	ClientSecret string   `json:"client_secret,omitzero"`
	RefreshToken string   `json:"refresh_token,omitzero"`
	TokenURI     string   `json:"token_uri,omitzero"`
	UserinfoURI  string   `json:"userinfo_uri,omitzero"`
	Scopes       []string `json:"scopes,omitzero"`
	Account      string   `json:"account,omitzero"`
	Subject      string   `json:"subject,omitzero"`
	QuotaProject string   `json:"quota_project_id,omitzero"`
	ClientEmail  string   `json:"client_email,omitzero"`
	PrivateKeyID string   `json:"private_key_id,omitzero"`
	PrivateKey   string   `json:"private_key,omitzero"`
	ProjectID    string   `json:"project_id,omitzero"`

	principal
}

// IsDocument reports whether an account's credential is a document of this
// package rather than a key. No vendor's key begins with a brace.
func IsDocument(t secret.Text) bool { return strings.HasPrefix(strings.TrimSpace(t.Reveal()), "{") }

// Parse reads a document for accounts that sign in by l, which gives what the
// document leaves open. An error says what is wrong and shows no part of it.
func Parse(text secret.Text, l *provider.Login) (*Credential, error) {
	if len(text.Reveal()) > MaxDocument {
		return nil, fmt.Errorf("the credential has more than %d bytes", MaxDocument)
	}
	var d document
	if err := json.Unmarshal([]byte(text.Reveal()), &d, jsontext.AllowDuplicateNames(false)); err != nil {
		return nil, errors.New("the credential is not JSON of the form that it begins as") // the error may quote it
	}
	if c, err := d.program(l); c != nil || err != nil {
		return c, err
	}
	if l.Program != "" && l.Token == "" {
		return nil, errors.New("the credential is not what `az ad sp create-for-rbac` writes: appId, password and tenant")
	}
	c := &Credential{
		Kind: Kind(d.Type), TokenURL: d.TokenURI, Scopes: d.Scopes,
		ClientID: d.ClientID, ClientSecret: secret.Of(d.ClientSecret), Refresh: secret.Of(d.RefreshToken), Subject: d.Subject, Userinfo: d.UserinfoURI,
		Email: d.Account, KeyID: d.PrivateKeyID, Key: secret.Of(d.PrivateKey), Project: d.ProjectID, QuotaProject: d.QuotaProject,
	}
	if c.TokenURL == "" {
		c.TokenURL = l.Token
	}
	if c.Userinfo == "" && c.TokenURL == l.Token {
		c.Userinfo = l.Userinfo
	}
	if len(c.Scopes) == 0 {
		c.Scopes = l.Scopes
	}
	switch c.Kind {
	case User:
		if err := c.checkUser(); err != nil {
			return nil, err
		}
	case Service:
		c.Email = d.ClientEmail
		if err := c.checkService(); err != nil {
			return nil, err
		}
	default:
		return nil, unknownKind(d.Type)
	}
	for _, u := range []string{c.TokenURL, c.Userinfo} {
		if err := CheckURL(u, l.Domains); err != nil && u != "" {
			return nil, err
		}
	}
	return c, nil
}

// Owner is whose a document is, as far as it says, or what it is. It shows nothing
// secret of it.
func Owner(t secret.Text) string {
	var d document
	if json.Unmarshal([]byte(t.Reveal()), &d) != nil {
		return "a document"
	}
	return Word(cmp.Or(d.ClientEmail, d.Account, "a login"))
}

// unknownKind says why a document of another type is not taken.
func unknownKind(kind string) error {
	switch kind {
	case "":
		return errors.New("the credential has no type; it is a JSON file of type service_account or authorized_user")
	case "external_account", "external_account_authorized_user", "impersonated_service_account":
		// They name programs to run and addresses to ask. Spec: upstreams §3.5.
		return fmt.Errorf("credentials of type %s are not taken; use a service account's key or a login of your own", kind)
	}
	return errors.New("the credential is of no known type; it is a JSON file of type service_account or authorized_user")
}

func (c *Credential) checkUser() error {
	if err := CheckClient(c.ClientID); err != nil {
		return err
	}
	for name, t := range map[string]secret.Text{"client_secret": c.ClientSecret, "refresh_token": c.Refresh} {
		if !printable(t.Reveal()) {
			return fmt.Errorf("%s: it holds spaces, line ends or letters that no such value has", name)
		}
	}
	if c.Refresh.IsZero() {
		return errors.New("refresh_token: it is missing")
	}
	return nil
}

// CheckClient checks the id of an OAuth client: it must be one of the operator's own.
func CheckClient(id string) error {
	if id == "" || !printable(id) || len(id) > 1024 {
		return errors.New("client_id: an OAuth client of your own is needed")
	}
	if r := ownerOf(id); r != nil {
		return fmt.Errorf("client_id: it belongs to %s. %s", r.Tool, strings.TrimSuffix(r.Refusal(), "."))
	}
	return nil
}

func (c *Credential) checkService() error {
	switch {
	case c.Email == "" || !printable(c.Email):
		return errors.New("client_email: it is missing")
	case c.Key.IsZero():
		return errors.New("private_key: it is missing")
	}
	if _, err := signer(c.Key); err != nil {
		return err
	}
	return nil
}

// Text is c as a document, to be kept as an account's credential.
func (c *Credential) Text() secret.Text {
	d := document{
		Type: string(c.Kind), TokenURI: c.TokenURL, Scopes: c.Scopes, ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(),
		RefreshToken: c.Refresh.Reveal(), Subject: c.Subject, UserinfoURI: c.Userinfo, Account: c.Email, PrivateKeyID: c.KeyID,
		PrivateKey: c.Key.Reveal(), ProjectID: c.Project, QuotaProject: c.QuotaProject,
	}
	if c.Kind == Service {
		d.Account, d.ClientEmail = "", c.Email
	}
	b, err := json.Marshal(d, jsontext.AllowInvalidUTF8(true))
	if err != nil { // texts can always be written
		panic(err)
	}
	return secret.Of(string(b))
}

// ID names c without telling anything of its secrets: two credentials of one
// name can take each other's place.
func (c *Credential) ID() string {
	h := sha256.New()
	for _, s := range []string{"portico credential", string(c.Kind), c.TokenURL, strings.Join(c.Scopes, " "), c.ClientID, c.ClientSecret.Reveal(), c.Refresh.Reveal(), c.Email, c.KeyID, c.Key.Reveal(), c.Subject} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// CheckURL checks an address that a credential or a client names: https at one
// of domains or below it, or this machine. Elsewhere a file from somebody else
// could have its reader send a secret. Spec: security SEC-63.
func CheckURL(s string, domains []string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return errors.New("the credential names an address that is none")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && a.Unmap().IsLoopback() && (u.Scheme == "http" || u.Scheme == "https") {
		return nil
	}
	if u.Scheme != "https" {
		return fmt.Errorf("the credential names the address %s, which is not https", u.Redacted())
	}
	for _, d := range domains {
		if host := strings.ToLower(u.Hostname()); host == d || strings.HasSuffix(host, "."+d) {
			return nil
		}
	}
	return fmt.Errorf("the credential names the host %s, which is not its issuer's", u.Hostname())
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
