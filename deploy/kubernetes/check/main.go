// Command check reads Kubernetes manifests from standard input, as `kustomize build` writes them, and holds them against the API's own
// types (an unknown or misspelt field is an error) and against what this project promises of its pods. It needs no cluster.
//
//	go run sigs.k8s.io/kustomize/kustomize/v5@v5.7.1 build deploy/kubernetes/overlays/production | go -C deploy/kubernetes/check run .
//
// It is a module of its own, so that the types of Kubernetes are no dependency of the programs.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	objects, err := read(os.Stdin)
	if err == nil {
		err = Check(objects)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d objects are as they should be\n", len(objects))
}

// read decodes a stream of manifests strictly. What cannot be decoded is in the error, the rest is returned.
func read(r io.Reader) (objects []runtime.Object, err error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{core.AddToScheme, apps.AddToScheme, networking.AddToScheme, policy.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(r))
	var problems []error
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, errors.Join(problems...)
		}
		if err != nil {
			return objects, errors.Join(append(problems, err)...)
		}
		object, kind, err := decoder.Decode(document, nil, nil)
		if err != nil {
			problems = append(problems, fmt.Errorf("%v: %w", orUnknown(kind), err))
			continue
		}
		objects = append(objects, object)
	}
}

func orUnknown(kind *schema.GroupVersionKind) string {
	if kind == nil {
		return "an object of unknown kind"
	}
	return kind.Kind
}
