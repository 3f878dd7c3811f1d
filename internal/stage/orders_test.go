package stage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestServeAnswersEachLine(t *testing.T) {
	type order struct {
		Do string `json:"do"`
	}
	type answer struct {
		State string `json:"state,omitempty"`
	}
	var out bytes.Buffer
	in := strings.NewReader("{\"do\":\"tell\"}\n{\"do\":\"fail\"}\nno order\n{\"do\":\"tell\"}\n")
	err := Serve(t.Context(), in, &out, nil, answer{State: "ready"}, func(_ context.Context, o order) (answer, error) {
		if o.Do == "fail" {
			return answer{}, errors.New("no")
		}
		return answer{State: "agreed"}, nil
	})
	want := "{\"ok\":true,\"state\":\"ready\"}\n{\"ok\":true,\"state\":\"agreed\"}\n{\"error\":\"no\",\"ok\":false}\n" // what is no order ends it
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
	gone := make(chan struct{})
	close(gone)
	silent, end := io.Pipe()
	defer end.Close()
	if err := Serve(t.Context(), silent, &out, gone, answer{}, func(context.Context, order) (answer, error) { return answer{}, nil }); err != nil {
		t.Error(err)
	}
}
