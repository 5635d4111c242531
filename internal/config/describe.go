package config

// Variable describes a variable for --help and for the documentation.
type Variable struct {
	Name    string
	Alt     string // another name that is accepted, or empty
	Default string // the value when it is unset, or empty
	Unset   string // what unset means in words, where Default is empty
	Meaning string
	Secret  bool // Name_FILE is accepted too
}

// Names lists every variable that can set this one.
func (v Variable) Names() []string {
	f := field{name: v.Name, alt: v.Alt, secret: v.Secret}
	var names []string
	for _, s := range f.sources() {
		names = append(names, s.name)
	}
	return names
}

// Describe lists the variables of a specification in the order of its fields, each once.
func Describe(spec any, opts ...Option) []Variable {
	var (
		seen = map[string]bool{}
		vars []Variable
	)
	for _, f := range inspect(spec, collect(opts)).fields {
		if seen[f.name] {
			continue
		}
		seen[f.name] = true
		v := Variable{Name: f.name, Alt: f.alt, Default: f.def, Meaning: f.desc, Secret: f.secret}
		if v.Default == "" {
			v.Unset = f.unset
		}
		vars = append(vars, v)
	}
	return vars
}

// Names lists every name that a specification reads, with alternatives and the _FILE names of secrets.
func Names(spec any, opts ...Option) []string {
	var names []string
	for _, v := range Describe(spec, opts...) {
		names = append(names, v.Names()...)
	}
	return names
}
