package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// Validator is implemented by specifications and groups that check several fields against each other, or compute
// fields that have no variable. The names in the problems are those in the tags; [Load] adds the prefix. It must not
// matter whether Validate is called once or twice: the method of an embedded group is also that of its struct.
type Validator interface {
	Validate() []Problem
}

// Option changes how a specification is read and described.
type Option func(*options)

type options struct {
	prefix   string
	defaults map[string]string // :: variable → default in place of the tag's
}

// Prefix puts a text such as WOLKVOX_VENTAS_ before every name of the specification.
func Prefix(prefix string) Option {
	return func(o *options) { o.prefix = prefix }
}

// Defaults replaces the defaults of single variables. A program that shares a group with others may want other
// defaults than they do; an empty one removes the default.
func Defaults(byName map[string]string) Option {
	return func(o *options) { o.defaults = byName }
}

func collect(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Load fills spec, a pointer to a struct, from the environment of the process. The error is of type [Problems] and
// holds everything that is wrong. After an error spec is partly filled and not to be used.
//
// It panics when spec is no pointer to a struct: that is no configuration problem.
func Load(spec any, opts ...Option) error {
	var (
		o        = collect(opts)
		s        = inspect(spec, o)
		problems Problems
		bad      = map[string]bool{} // names of fields that could not be read
	)
	for _, f := range s.fields {
		problem := f.load()
		if problem == nil {
			continue
		}
		problems = append(problems, *problem)
		for _, src := range f.sources() {
			bad[src.name] = true
		}
	}
	for _, v := range s.validators {
		for _, p := range v.Validate() {
			p.Name = o.prefix + p.Name
			if !bad[p.Name] {
				problems = append(problems, p)
			}
		}
	}
	return problems.Err()
}

// load reads one field. It calls envconfig once per field because envconfig gives up at the first bad value.
func (f field) load() *Problem {
	src, problem := f.source()
	if problem != nil {
		return problem
	}
	value, err := f.process(src)
	if err == nil {
		f.value.Set(value)
		return nil
	}
	// Checks of other fields against this one had better see the default than nothing.
	if value, err := f.process(source{}); err == nil {
		f.value.Set(value)
	}
	return &Problem{Name: cmp.Or(src.name, f.name), Text: f.explain(src.name != "", err)}
}

// source is where a field's value comes from.
type source struct {
	name string // the variable; empty when none is set
	file bool   // the variable is the path of a file with the value
}

// source chooses among the variables that can hold the field's value. More than one set is a problem: nobody could
// tell which of them counts.
func (f field) source() (source, *Problem) {
	var set []source
	for _, s := range f.sources() {
		if strings.TrimSpace(os.Getenv(s.name)) != "" {
			set = append(set, s)
		}
	}
	switch len(set) {
	case 0:
		return source{}, nil
	case 1:
		return set[0], nil
	default:
		text := fmt.Sprintf("is set as well as %s: give one of them", set[1].name)
		return source{}, &Problem{Name: set[0].name, Text: text}
	}
}

// process lets envconfig read the field alone, in a struct made for it.
func (f field) process(src source) (reflect.Value, error) {
	typ := f.value.Type()
	if src.file {
		typ = reflect.TypeFor[secretFile]()
	}
	// No variable's name contains "=", so this one is never set, and envconfig takes the default.
	key := cmp.Or(src.name, "=")
	tag := fmt.Sprintf("envconfig:%q default:%q", key, f.def)
	if f.required {
		tag += ` required:"true"`
	}
	one := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "Value", Type: typ, Tag: reflect.StructTag(tag)},
	}))
	if err := envconfig.Process("", one.Interface()); err != nil {
		return reflect.Value{}, err
	}
	value := one.Elem().Field(0).Convert(f.value.Type())
	if value.Kind() == reflect.String {
		return f.text(value)
	}
	return value, nil
}

// text trims a text and holds it against the values accepted.
func (f field) text(value reflect.Value) (reflect.Value, error) {
	text := strings.TrimSpace(value.String())
	if len(f.oneof) > 0 && text != "" {
		var ok bool
		if text, ok = canonical(f.oneof, text); !ok {
			return value, fmt.Errorf("%s is not one of %s", quote(value.String()), strings.Join(f.oneof, ", "))
		}
	}
	trimmed := reflect.New(value.Type()).Elem()
	trimmed.SetString(text)
	return trimmed, nil
}

// canonical returns the choice that equals text but for the case of its letters.
func canonical(choices []string, text string) (string, bool) {
	for _, choice := range choices {
		if strings.EqualFold(choice, text) {
			return choice, true
		}
	}
	return "", false
}

// explain puts an error of envconfig into words for the person who set the variable.
func (f field) explain(set bool, err error) string {
	var (
		parse *envconfig.ParseError
		num   *strconv.NumError
	)
	if errors.As(err, &parse) {
		err = parse.Err // it has no Unwrap
	}
	text := err.Error()
	switch {
	case !set && f.def == "":
		text = "is not set"
	case errors.As(err, &num):
		text = fmt.Sprintf("%s is not %s", quote(num.Num), f.kind())
	}
	if example := f.exampleText(); example != "" && len(f.oneof) == 0 && !f.secret {
		text += ", for example " + example
	}
	return text
}

// kind names what a plain Go type wants to be given.
func (f field) kind() string {
	switch f.value.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}

// quote shows a value in a problem, cut where it would drown the message.
func quote(value string) string {
	const most = 60
	if runes := []rune(value); len(runes) > most {
		value = string(runes[:most]) + "…"
	}
	return strconv.Quote(value)
}
