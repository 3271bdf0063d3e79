package cli

import (
	"fmt"
	"reflect"
	"strings"

	"portico/internal/config"
)

// settings is a pointer to a struct with one field for each key of the
// configuration that has a flag, made at run time so that the table in
// package config stays the only list of keys.
func settings() any {
	var fields []reflect.StructField
	for _, k := range config.Keys() {
		if k.Flag() == "" {
			continue
		}
		typ := reflect.TypeFor[*string]()
		if k.Bool {
			typ = reflect.TypeFor[*bool]()
		}
		fields = append(fields, reflect.StructField{
			Name: fmt.Sprintf("F%d", len(fields)),
			Type: typ,
			Tag:  reflect.StructTag(fmt.Sprintf(`name:%q help:%q placeholder:%q`, k.Flag(), flagHelp(k), placeholder(k))),
		})
	}
	return reflect.New(reflect.StructOf(fields)).Interface()
}

// placeholder stands for the value of a flag: the words to choose from, or
// what kind of value it is.
func placeholder(k config.Key) string {
	if words, ok := strings.CutPrefix(k.Type, "one of "); ok {
		return strings.ReplaceAll(words, ", ", "|")
	}
	if k.List {
		return "A,B,..."
	}
	kind, _, _ := strings.Cut(strings.TrimPrefix(k.Type, "a "), " ")
	return strings.ToUpper(kind)
}

// flagHelp is what a key means, with its bounds and its default.
func flagHelp(k config.Key) string {
	var more []string
	if _, bounds, ok := strings.Cut(k.Type, " from "); ok {
		more = append(more, bounds)
	}
	if k.Default != "" && !k.Bool {
		more = append(more, "default "+k.Default)
	}
	if len(more) == 0 {
		return k.Doc
	}
	return strings.TrimSuffix(k.Doc, ".") + " (" + strings.Join(more, "; ") + ")."
}

// given returns the flags of settings that were given, by the keys' names.
func given(made any) map[string]string {
	out := map[string]string{}
	v := reflect.ValueOf(made).Elem()
	i := 0
	for _, k := range config.Keys() {
		if k.Flag() == "" {
			continue
		}
		if f := v.Field(i); !f.IsNil() {
			out[k.Name] = fmt.Sprint(f.Elem().Interface())
		}
		i++
	}
	return out
}
