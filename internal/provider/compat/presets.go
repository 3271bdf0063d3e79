package compat

import (
	_ "embed"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"portico/internal/protocol"
	"portico/internal/provider"
)

//go:embed presets.yaml
var source []byte

// A preset is what is known of a vendor.
type preset struct {
	Title     string
	OpenAI    string `yaml:"openai"`
	Anthropic string
	Responses bool
	Remembers bool
	Completes bool
	Embeds    bool
	Draws     bool
	Counts    []string
	Local     bool
	Gauge     *provider.Gauge
	Quirks    quirks

	bases  [families]*url.URL // nil: the family is not offered
	tails  [families]string   // the ends of the bases' paths in which they differ
	quirks provider.Quirks
	// tame: it is a named vendor, whose protocols are known.
	tame bool
}

// quirks are provider.Quirks as the file spells them.
type quirks struct {
	FirstByte    time.Duration `yaml:"first_byte"`
	Unlisted     bool
	OpenList     bool `yaml:"open_list"`
	Trials       []string
	MaxTokens    string `yaml:"max_tokens"`
	Lacks        []string
	NoDeveloper  bool `yaml:"no_developer"`
	Required     string
	CallID       int  `yaml:"call_id"`
	InlineImages bool `yaml:"inline_images"`
	Forgetful    bool `yaml:"-"` // unless it remembers
	Bare         bool `yaml:"-"` // all are
	Reasoning    string
	Echo         bool
	Efforts      []string
}

// A family is one of the two ways in which a base URL is written.
type family uint8

const (
	openAI family = iota
	anthropic
	families
)

func familyOf(p string) family {
	if p == protocol.Anthropic {
		return anthropic
	}
	return openAI
}

// stranger is the preset of an account that names none. Most servers who speak
// both families have them at paths that differ in this.
//
// All of them know max_tokens, and not all its successor. Whether one of them
// keeps answers nobody knows; it does no harm to keep them twice.
var stranger = &preset{
	Responses: true, Embeds: true, tails: [families]string{openAI: "/v1"},
	quirks: provider.Quirks{MaxTokens: "max_tokens", Forgetful: true, Bare: true},
}

// presets are read when an account needs them for the first time; the file is
// part of the program, and a test reads it, so that it cannot fail to load.
var presets = sync.OnceValue(func() map[string]*preset {
	m, err := load(source)
	if err != nil {
		panic("compat: presets.yaml: " + err.Error())
	}
	return m
})

// Presets are the names of the presets, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets())) }

// Title is what people call the vendor of a preset, "" if there is none.
func Title(name string) string {
	if p := presets()[name]; p != nil {
		return p.Title
	}
	return ""
}

func load(text []byte) (map[string]*preset, error) {
	m := map[string]*preset{}
	if err := yaml.UnmarshalWithOptions(text, &m, yaml.Strict()); err != nil {
		return nil, err
	}
	for name, p := range m {
		if err := p.finish(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return m, nil
}

// finish works out what the file does not say.
func (p *preset) finish() error {
	p.tame = true
	p.quirks = provider.Quirks(p.Quirks)
	p.quirks.Forgetful, p.quirks.Bare = !p.Remembers, true
	for f, s := range [families]string{openAI: p.OpenAI, anthropic: p.Anthropic} {
		if s == "" {
			continue
		}
		u, err := url.Parse(s)
		if err != nil {
			return err
		}
		if u.Scheme == "" || u.Host == "" || strings.HasSuffix(u.Path, "/") {
			return fmt.Errorf("%q is no base URL", s)
		}
		p.bases[f] = u
	}
	a, b := p.bases[openAI], p.bases[anthropic]
	switch {
	case a == nil && b == nil:
		return fmt.Errorf("it has no base URL")
	case a == nil || b == nil:
		return nil
	case a.Scheme != b.Scheme || a.Host != b.Host:
		return fmt.Errorf("%s and %s are two origins, and a key belongs to one", a, b)
	}
	n := common(a.Path, b.Path)
	p.tails = [families]string{openAI: a.Path[n:], anthropic: b.Path[n:]}
	return nil
}

// common is the length of the whole segments that two paths begin with.
func common(a, b string) int {
	n := 0
	for i := 0; ; i++ {
		endA, endB := i == len(a) || a[i] == '/', i == len(b) || b[i] == '/'
		if endA && endB {
			n = i
		}
		if i == len(a) || i == len(b) || a[i] != b[i] {
			return n
		}
	}
}

// speaks reports whether the vendor offers the family at all.
func (p *preset) speaks(f family) bool { return !p.tame || p.bases[f] != nil }

// split parts path, the path of a base URL of family own, into what stays for
// family f and what is appended to it. ok is false if nobody can know where f
// lives under that path.
func (p *preset) split(path string, own, f family) (head, more string, ok bool) {
	if own == f {
		return path, "", true
	}
	if p.tails[own] == "" {
		// The preset's own path is all that tells where the other one begins.
		return path, p.tails[f], !p.tame || p.bases[own].EscapedPath() == path
	}
	return strings.TrimSuffix(path, p.tails[own]), p.tails[f], strings.HasSuffix(path, p.tails[own])
}
