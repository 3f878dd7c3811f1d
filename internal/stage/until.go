package stage

import (
	"context"
	"fmt"
	"time"

	"parley.link/parley/internal/problem"
)

// askEvery keeps within what a node answers one officer: ten requests a second (package seat). Asked faster, a node on a busy machine,
// whose link takes long to come up, refuses in the end.
const askEvery = 125 * time.Millisecond

// until polls a condition; an error ends it.
func until(ctx context.Context, most time.Duration, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	poll := time.NewTicker(askEvery)
	defer poll.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s after %v: %w", what, most, ctx.Err())
		case <-poll.C:
		}
	}
}

// transient forgives refusals that pass by themselves while two nodes catch up with each other.
func transient(err error) error {
	switch problem.CodeOf(err) {
	case problem.UnknownSession, problem.NoSuchProposal, problem.LinkLost, problem.NotInForce:
		return nil
	}
	return err
}
