package problem_test

import (
	"errors"
	"fmt"
	"testing"

	"parley.link/parley/internal/problem"
)

func TestProblemsCompareByCode(t *testing.T) {
	err := fmt.Errorf("apply entry: %w", problem.New(problem.NotYours, "what", "track", "by", "v"))
	if !errors.Is(err, problem.New(problem.NotYours)) || errors.Is(err, problem.New(problem.NotJoined)) {
		t.Error("codes do not compare")
	}
	if problem.CodeOf(err) != problem.NotYours || problem.CodeOf(errors.New("x")) != problem.Internal {
		t.Error("code of", err)
	}
	if err.Error() != "apply entry: not-yours by=v what=track" {
		t.Error(err)
	}
}
