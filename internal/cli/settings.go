package cli

import (
	"fmt"
	"reflect"
	"strings"

	"portico/internal/config"
)

// settings makes a struct with one field for each key of the configuration
// that may be a flag of serve, so that the table of keys stays the only one.
func settings() any {
	var fields []reflect.StructField
	for _, k := range config.Keys() {
		if k.Flag() == "" {
			continue
		}
		typ := reflect.TypeFor[*string]()
		place := strings.ToUpper(strings.TrimPrefix(strings.TrimPrefix(k.Type, "a "), "an "))
		if k.Bool {
			typ = reflect.TypeFor[*bool]()
		}
		fields = append(fields, reflect.StructField{
			Name: fmt.Sprintf("F%d", len(fields)),
			Type: typ,
			Tag:  reflect.StructTag(fmt.Sprintf(`name:%q help:%q placeholder:%q`, k.Flag(), k.Doc, strings.ReplaceAll(place, " ", "-"))),
		})
	}
	return reflect.New(reflect.StructOf(fields)).Interface()
}

// given reads from a struct that settings made which keys were given.
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
