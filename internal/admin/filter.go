package admin

import (
	"net/http"
	"strconv"
	"strings"

	"portico/internal/pool"
)

// An accountFilter says which accounts are listed. Empty members match all.
type accountFilter struct {
	Search   string `query:"q" maxLength:"128" doc:"What the name, the label, the provider, the preset, the login or the address has in it, whatever the case."`
	Provider string `query:"provider" maxLength:"64"`
	State    string `query:"state" enum:"ready,cooling,trial,down,refreshing,needs_login,off"`
	Origin   string `query:"origin" enum:"file,store,built_in"`
	Limit    int    `query:"limit" minimum:"0" maximum:"10000" doc:"0, the default, is all."`
	Cursor   string `query:"cursor" maxLength:"32" doc:"From the page before, of the same list."`
}

// list is the page of views that f asks for. What does not match costs no more
// than a look at it.
func (f *accountFilter) list(views []pool.View, versions map[string]int64) (List[Account], error) {
	l := List[Account]{Items: []Account{}}
	at := 0
	if f.Cursor != "" {
		n, err := strconv.ParseUint(f.Cursor, 36, 31)
		if err != nil {
			return l, problem(http.StatusBadRequest, CodeMalformed, "the cursor is none of this list's")
		}
		at = int(n)
	}
	search := strings.ToLower(f.Search)
	for ; at < len(views); at++ {
		v := &views[at]
		if !f.matches(v, versions[v.Name], search) {
			continue
		}
		if f.Limit > 0 && len(l.Items) == f.Limit {
			l.Next = strconv.FormatInt(int64(at), 36)
			break
		}
		l.Items = append(l.Items, view(v, versions[v.Name]))
	}
	return l, nil
}

func (f *accountFilter) matches(v *pool.View, version int64, search string) bool {
	if f.Provider != "" && v.Provider != f.Provider || f.State != "" && state(v) != f.State || f.Origin != "" && origin(v, version) != f.Origin {
		return false
	}
	if search == "" {
		return true
	}
	for _, text := range []string{v.Name, v.Label, v.Provider, v.Preset, v.Who} {
		if strings.Contains(strings.ToLower(text), search) {
			return true
		}
	}
	return v.BaseURL != nil && strings.Contains(strings.ToLower(v.BaseURL.Host), search)
}

// origin is where v was made.
func origin(v *pool.View, version int64) string {
	switch {
	case v.Declared:
		return "file"
	case version > 0:
		return "store"
	}
	return "built_in"
}
