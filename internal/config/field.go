package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// field is a field of a specification that has a variable.
type field struct {
	value    reflect.Value
	name     string // the variable, with the prefix
	alt      string // another name of it, with the prefix, or empty
	def      string
	unset    string
	example  string
	desc     string
	oneof    []string
	required bool
	secret   bool
}

// schema is a specification taken apart.
type schema struct {
	fields     []field
	validators []Validator // groups before the structs that contain them
}

// inspect takes a specification apart.
func inspect(spec any, o options) schema {
	v := reflect.ValueOf(spec)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("config: a specification is a pointer to a struct, not %T", spec))
	}
	var s schema
	s.add(v.Elem(), o)
	return s
}

// add appends what is in a struct, groups included, in the order of its fields.
func (s *schema) add(v reflect.Value, o options) {
	for i := range v.NumField() {
		var (
			f = v.Field(i)
			t = v.Type().Field(i)
		)
		switch {
		case !t.IsExported():
		case t.Tag.Get("envconfig") != "":
			s.fields = append(s.fields, newField(f, t.Tag, o))
		case f.Kind() == reflect.Struct && !isLeaf(f):
			s.add(f, o)
		}
	}
	if validator, ok := v.Addr().Interface().(Validator); ok {
		s.validators = append(s.validators, validator)
	}
}

func newField(v reflect.Value, tag reflect.StructTag, o options) field {
	f := field{
		value:    v,
		name:     o.prefix + tag.Get("envconfig"),
		def:      tag.Get("default"),
		unset:    tag.Get("unset"),
		example:  tag.Get("example"),
		desc:     tag.Get("desc"),
		required: tag.Get("required") == "true",
		secret:   v.Type() == reflect.TypeFor[Secret](),
	}
	if alt := tag.Get("alt"); alt != "" {
		f.alt = o.prefix + alt
	}
	if oneof := tag.Get("oneof"); oneof != "" {
		f.oneof = strings.Split(oneof, ",")
	}
	if def, ok := o.defaults[f.name]; ok {
		f.def = def
	}
	return f
}

// isLeaf tells a struct that is a value, such as a [Moment], from a group.
func isLeaf(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case envconfig.Decoder, envconfig.Setter, encoding.TextUnmarshaler, encoding.BinaryUnmarshaler:
		return true
	}
	return false
}

// sources lists the variables that can hold the value of the field.
func (f field) sources() []source {
	var sources []source
	for _, name := range []string{f.name, f.alt} {
		if name == "" {
			continue
		}
		sources = append(sources, source{name: name})
		if f.secret {
			sources = append(sources, source{name: name + "_FILE", file: true})
		}
	}
	return sources
}

// exampler is implemented by types that know a right value.
type exampler interface{ Example() string }

// exampleText is a right value of the field, or empty when there is none to show.
func (f field) exampleText() string {
	if f.example != "" {
		return f.example
	}
	if f.def != "" {
		return f.def
	}
	if typ, ok := f.value.Addr().Interface().(exampler); ok {
		return typ.Example()
	}
	return ""
}
