// Package config reads the environment into validated structs and reports every problem at once.
//
// A specification is a struct whose fields name their variable:
//
//	type Config struct {
//		config.NATS                          // a group shared by the programs
//		Window config.Duration `envconfig:"POLL_WINDOW" default:"5m" desc:"length of a window"`
//		Token  config.Secret   `envconfig:"WOLKVOX_TOKEN" desc:"token of the API"`
//	}
//
//	var c Config
//	if err := config.Load(&c); err != nil {
//		fmt.Fprintln(os.Stderr, err) // one line per problem
//		os.Exit(2)
//	}
//
// Nested structs are groups; they add nothing to the names. A field without an envconfig tag is no configuration:
// a specification may compute it in Validate. The tags:
//
//	envconfig  the variable's name
//	alt        another name accepted for it
//	default    its value when the variable is unset or empty
//	unset      what --help says instead of a default, where the default is not a value ("from LANG, else en")
//	required   "true": unset is a problem
//	oneof      the values accepted, separated by commas; the case does not matter
//	example    a right value, shown beside a problem; defaults to the default, then to the type's own example
//	desc       what the variable means, for --help
//
// Fields may have the types of this package and those that [github.com/kelseyhightower/envconfig] knows.
// A [Secret] named X can also be given as X_FILE.
//
// Three questions that come up:
//
//   - A variable is set but empty? That is unset, so `X= producer` and a bare `X=` line in an .env file do no harm.
//   - One bad value brings another problem along? Cross-field checks ([Validator]) run after every field has been
//     read, and what they say about a variable that already has a problem is dropped.
//   - May problems be logged? Yes: the value of a [Secret] is in none of them.
package config
