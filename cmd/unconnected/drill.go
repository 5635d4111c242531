package main

type drillCommand struct{}

func (drillCommand) Run(t *terminal) error { return nil }
