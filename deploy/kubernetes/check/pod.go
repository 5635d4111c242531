package main

import (
	"slices"

	core "k8s.io/api/core/v1"
)

// numericUser is the user of the images.
const numericUser = 65532

// pod is what is wrong with a pod by the restricted profile and by what this project promises beside it.
func pod(p *core.PodSpec) (problems []string) {
	wrong := func(is bool, problem string) {
		if is {
			problems = append(problems, problem)
		}
	}
	wrong(isNot(p.AutomountServiceAccountToken, false), "has a token of Kubernetes")
	wrong(isNot(p.EnableServiceLinks, false), "is given variables of services, which begin like ours")
	wrong(p.HostNetwork || p.HostPID || p.HostIPC, "is not apart from its host")
	s := p.SecurityContext
	wrong(s == nil || isNot(s.RunAsNonRoot, true) || isNot(s.RunAsUser, numericUser) || isNot(s.FSGroup, numericUser), "does not run as 65532")
	wrong(s == nil || s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault, "has no seccomp profile")
	for i := range p.Containers {
		problems = append(problems, container(&p.Containers[i])...)
	}
	for _, v := range p.Volumes {
		wrong(v.HostPath != nil, "mounts the host's files")
		wrong(v.Secret != nil && isNot(v.Secret.DefaultMode, 0o440), "its Secret's files are for more than its group")
	}
	return problems
}

func container(c *core.Container) (problems []string) {
	wrong := func(is bool, problem string) {
		if is {
			problems = append(problems, problem)
		}
	}
	s := c.SecurityContext
	wrong(s == nil || isNot(s.AllowPrivilegeEscalation, false) || isNot(s.ReadOnlyRootFilesystem, true), "may write its root or gain rights")
	wrong(s == nil || s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}), "keeps capabilities")
	wrong(c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero(), "requests neither memory nor CPU")
	wrong(c.Resources.Limits.Memory().IsZero(), "has no limit of memory")
	wrong(probed(c.LivenessProbe) != "/healthz" || probed(c.StartupProbe) != "/healthz", "is restarted for something else than being stuck")
	wrong(probed(c.ReadinessProbe) != "/readyz", "does not show whether it does its job")
	for _, v := range c.Env {
		wrong(v.ValueFrom != nil && v.ValueFrom.SecretKeyRef != nil, v.Name+": a secret in the environment is not read again")
	}
	return problems
}

func probed(p *core.Probe) string {
	if p == nil || p.HTTPGet == nil {
		return ""
	}
	return p.HTTPGet.Path
}

func isNot[T comparable](p *T, want T) bool { return p == nil || *p != want }
