package config

import (
	"fmt"

	"portico/internal/secret"
)

// cross looks at what more than one key decides.
func cross(r *report, c *Config) {
	if c.AllowLAN && c.AuthMode == AuthOff {
		mode := "auth_mode is off by default"
		if o, ok := c.origin["auth_mode"]; ok {
			mode = "auth_mode is off in " + o.String()
		}
		r.at(c, "allow_lan_access")(fmt.Sprintf("true opens the server to the network, but %s; set auth_mode (PORTICO_AUTH_MODE, --auth-mode) to strict, all_except_health or auto", mode))
	}
	exposed := c.AllowLAN && c.Resolve() != AuthOff
	for _, s := range []struct {
		name  string
		value secret.Text
	}{{"api_key", c.APIKey}, {"admin_token", c.AdminToken}} {
		v := s.value.Reveal()
		switch {
		case v == "":
		case placeholder(v):
			r.at(c, s.name)("is a placeholder out of an example, which everybody knows; remove it to have one generated")
		case mistyped(v):
			r.warnAt(c, s.name)("looks like a generated credential of which a letter was changed")
		case len(v) < minLength && exposed:
			r.at(c, s.name)(fmt.Sprintf("has %d letters; with allow_lan_access it must have at least %d, since anybody on the network may guess", len(v), minLength))
		case len(v) < minLength:
			r.warnAt(c, s.name)(fmt.Sprintf("has only %d letters and is easily guessed", len(v)))
		}
	}
	if !c.APIKey.IsZero() && same(c.APIKey, c.AdminToken) {
		r.at(c, "admin_token")("is the same as api_key; whoever may call a model could then administer the server")
	}
}

// at returns what tells a problem at the place that decided key.
func (r *report) at(c *Config, key string) func(string) {
	return func(text string) {
		o := c.origin[key]
		r.where = o.where
		r.problem(o.line, key, "%s", text)
	}
}

// warnAt is at for a warning.
func (r *report) warnAt(c *Config, key string) func(string) {
	return func(text string) {
		o := c.origin[key]
		r.where = o.where
		r.warning(o.line, key, "%s", text)
	}
}
