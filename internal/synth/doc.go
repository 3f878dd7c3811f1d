// Package synth makes synthetic media for native participants and measures what comes back: pictures with a colour, a person number and a
// frame counter that both people and programs can read, encoded as VP8 key frames, and a pilot tone per person in Opus. It is the
// only user of the WebP and Opus encoders.
//
// Both are made once and repeated: ten participants on a two-core machine cost almost nothing after the first seconds. The counter runs
// with the wall clock, so whoever reads a picture also knows how late it is.
package synth
