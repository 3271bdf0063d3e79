package bedrock

import (
	"errors"
	"strings"

	"portico/internal/jsonedit"
	"portico/internal/provider"
	"portico/internal/provider/endpoint"
	"portico/internal/secret"
	"portico/internal/sigv4"
)

// ReadsDocuments implements provider.Reader; see credentialOf.
func (bedrock) ReadsDocuments() {}

// credentialOf reads an account's key. It is one of:
//
//   - a Bedrock API key, which is shown as it is; the ID is "" then,
//   - ID:SECRET or ID:SECRET:TOKEN, an access key of AWS with the token of its
//     session,
//   - what `aws sts get-session-token` and programs for credential_process
//     write: a JSON object with AccessKeyId, SecretAccessKey and SessionToken,
//   - a profile of AWS' shared credentials file: lines aws_access_key_id = …
//
// The errors do not show it.
func credentialOf(key secret.Text) (c sigv4.Credential, err error) {
	s := strings.TrimSpace(key.Reveal())
	switch {
	case strings.HasPrefix(s, "{"):
		c = fromJSON([]byte(s))
	case strings.Contains(s, "aws_access_key_id"):
		c = fromFile(s)
	case isAccessKey(s):
		c.ID, c.Secret, _ = strings.Cut(s, ":")
		c.Secret, c.Token, _ = strings.Cut(c.Secret, ":")
	default:
		return c, endpoint.Key(key, true)
	}
	if c.ID == "" || c.Secret == "" {
		return sigv4.Credential{}, errors.New("api_key: an access key has an id and a secret: ID:SECRET, or ID:SECRET:TOKEN for a session")
	}
	for _, part := range []string{c.ID, c.Secret, c.Token} {
		if err := endpoint.Key(secret.Of(part), false); err != nil {
			return sigv4.Credential{}, err
		}
	}
	return c, nil
}

// signs reports whether a's key signs requests and is not sent with them.
func signs(a *provider.Account) bool {
	c, err := credentialOf(a.Key)
	return err == nil && c.ID != ""
}

// isAccessKey reports whether s begins with the id of an access key, of a user
// (AKIA…) or of a session (ASIA…), before a colon.
func isAccessKey(s string) bool {
	id, _, ok := strings.Cut(s, ":")
	return ok && (strings.HasPrefix(id, "AKIA") || strings.HasPrefix(id, "ASIA"))
}

// fromJSON reads a JSON object, in which the credential may stand under
// Credentials, as the token service writes it.
func fromJSON(b []byte) sigv4.Credential {
	if in := jsonedit.Get(b, "Credentials"); in != nil {
		b = in
	}
	text := func(name string) string {
		s, _ := jsonedit.Unquote(jsonedit.Get(b, name))
		return s
	}
	return sigv4.Credential{ID: text("AccessKeyId"), Secret: text("SecretAccessKey"), Token: text("SessionToken")}
}

// fromFile reads the lines of one profile; of several the first counts.
func fromFile(s string) (c sigv4.Credential) {
	for line := range strings.Lines(s) {
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			if c.ID != "" && strings.HasPrefix(strings.TrimSpace(line), "[") {
				break
			}
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			c.ID = value
		case "aws_secret_access_key":
			c.Secret = value
		case "aws_session_token":
			c.Token = value
		}
	}
	return c
}
