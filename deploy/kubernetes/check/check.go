package main

import (
	"errors"
	"fmt"
	"slices"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// installation is everything by kind.
type installation struct {
	deployments []*apps.Deployment
	budgets     []*policy.PodDisruptionBudget
	policies    []*networking.NetworkPolicy
	configs     map[string]bool // names of ConfigMaps
	accounts    map[string]bool // names of ServiceAccounts
}

// Check says what is wrong with an installation: pods that do not keep the restricted profile, references to nothing, selectors
// that select nothing, probes that would restart a pod for somebody else's fault.
func Check(objects []runtime.Object) error {
	in := installation{configs: make(map[string]bool), accounts: make(map[string]bool)}
	for _, object := range objects {
		switch o := object.(type) {
		case *apps.Deployment:
			in.deployments = append(in.deployments, o)
		case *policy.PodDisruptionBudget:
			in.budgets = append(in.budgets, o)
		case *networking.NetworkPolicy:
			in.policies = append(in.policies, o)
		case *core.ConfigMap:
			in.configs[o.Name] = true
		case *core.ServiceAccount:
			in.accounts[o.Name] = true
		}
	}
	var problems []error
	if len(in.deployments) != 2 || len(in.policies) == 0 {
		problems = append(problems, fmt.Errorf("%d deployments, %d network policies", len(in.deployments), len(in.policies)))
	}
	for _, d := range in.deployments {
		for _, problem := range slices.Concat(in.deployment(d), pod(&d.Spec.Template.Spec), in.references(&d.Spec.Template.Spec)) {
			problems = append(problems, fmt.Errorf("%s: %s", d.Name, problem))
		}
	}
	for _, d := range in.deployments {
		if !in.reachesNATS(d.Spec.Template.Labels) {
			problems = append(problems, fmt.Errorf("%s: the network policies keep it from NATS", d.Name))
		}
	}
	return errors.Join(problems...)
}

// deployment is what is wrong with replicas and with what selects its pods.
func (in *installation) deployment(d *apps.Deployment) (problems []string) {
	pods := labels.Set(d.Spec.Template.Labels)
	if d.Spec.Replicas == nil || *d.Spec.Replicas < 2 {
		problems = append(problems, "one replica only")
	}
	if !selects(d.Spec.Selector, pods) {
		problems = append(problems, "selects other pods than its own")
	}
	if !slices.ContainsFunc(in.budgets, func(b *policy.PodDisruptionBudget) bool { return selects(b.Spec.Selector, pods) }) {
		problems = append(problems, "no disruption budget")
	}
	if !slices.ContainsFunc(in.policies, func(p *networking.NetworkPolicy) bool { return selects(&p.Spec.PodSelector, pods) }) {
		problems = append(problems, "no network policy")
	}
	return problems
}

func selects(selector *meta.LabelSelector, pods labels.Set) bool {
	s, err := meta.LabelSelectorAsSelector(selector)
	return err == nil && !s.Empty() && s.Matches(pods)
}

// references is what a pod names and the installation lacks. Secrets are made by hand.
func (in *installation) references(p *core.PodSpec) (problems []string) {
	if !in.accounts[p.ServiceAccountName] {
		problems = append(problems, "no ServiceAccount "+p.ServiceAccountName)
	}
	var names []string
	for _, v := range p.Volumes {
		if v.ConfigMap != nil {
			names = append(names, v.ConfigMap.Name)
		}
	}
	for _, c := range p.Containers {
		for _, from := range c.EnvFrom {
			if from.ConfigMapRef != nil {
				names = append(names, from.ConfigMapRef.Name)
			}
		}
		for _, mount := range c.VolumeMounts {
			if !slices.ContainsFunc(p.Volumes, func(v core.Volume) bool { return v.Name == mount.Name }) {
				problems = append(problems, "no volume "+mount.Name)
			}
		}
	}
	for _, name := range names {
		if !in.configs[name] {
			problems = append(problems, "no ConfigMap "+name)
		}
	}
	return problems
}

// natsPods are the labels that the NATS chart gives its pods; they have none of ours.
var natsPods = labels.Set{"app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "nats", "app.kubernetes.io/instance": "nats"}

// reachesNATS tells whether pods with these labels may go to NATS, and are let in there.
func (in *installation) reachesNATS(pods labels.Set) bool {
	out, letIn := false, false
	for _, p := range in.policies {
		if selects(&p.Spec.PodSelector, pods) {
			out = out || slices.ContainsFunc(p.Spec.Egress, func(r networking.NetworkPolicyEgressRule) bool { return names(r.To, natsPods) })
		}
		if selects(&p.Spec.PodSelector, natsPods) {
			letIn = letIn || slices.ContainsFunc(p.Spec.Ingress, func(r networking.NetworkPolicyIngressRule) bool { return names(r.From, pods) })
		}
	}
	return out && letIn
}

func names(peers []networking.NetworkPolicyPeer, pods labels.Set) bool {
	return slices.ContainsFunc(peers, func(p networking.NetworkPolicyPeer) bool {
		return p.PodSelector != nil && selects(p.PodSelector, pods)
	})
}
