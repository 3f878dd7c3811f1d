//go:build linux

package main

func (r *results) document(root string) error { return nil }
