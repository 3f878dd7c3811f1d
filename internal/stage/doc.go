// Package stage raises a whole summit out of processes: for each side a directory with its delegation key, a `parley serve` process, two
// scripted officers over the ordinary API, and the link between them, verified by a fingerprint that each officer reads off the other's
// card. The demonstration, the benchmarks and the tests of whole nodes stand on it; no node imports it.
//
// It can do nothing that a person with the same keys could not: it holds both sides' keys because it made both sides.
package stage
