package node

import (
	"testing"

	"parley.link/parley/internal/act"
)

func TestOnePersonsPictureAndSoundShareAStream(t *testing.T) {
	a, b := []byte("one join"), []byte("another join")
	if streamOf(a, act.SourceCamera) != streamOf(a, act.SourceMicrophone) || streamOf(a, act.SourceScreen) != streamOf(a, act.SourceScreenAudio) {
		t.Error("torn apart")
	}
	if streamOf(a, act.SourceCamera) == streamOf(a, act.SourceScreen) || streamOf(a, act.SourceCamera) == streamOf(b, act.SourceCamera) {
		t.Error("thrown together")
	}
}
