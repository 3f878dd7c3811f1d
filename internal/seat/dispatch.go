package seat

import (
	"context"

	"parley.link/parley/internal/problem"
	"parley.link/parley/internal/wire/signalpb"
)

// dispatch finds the handler and checks what it needs. It does no work of its own.
//
//	frame        needs            handler
//	Hello        nothing          hello.go
//	Prove        Hello            prove.go
//	Ping         a proved device  ping.go
//	Enrol        a proved device  enrol.go
//	Officer      an officer       officer.go
//	the others   admission        watch.go submit.go media.go relay.go report.go
func (s *Seat) dispatch(ctx context.Context, m *signalpb.ToNode, reply func(*signalpb.ToClient)) error {
	switch b := m.Body.(type) {
	case *signalpb.ToNode_Hello:
		return s.onHello(b.Hello, reply)
	case *signalpb.ToNode_Prove:
		return s.onProve(ctx, b.Prove, reply)
	}
	if s.stage < stageStranger {
		return fatal(problem.New(problem.OutOfOrder, "want", "hello"))
	}
	switch b := m.Body.(type) {
	case *signalpb.ToNode_Ping:
		return s.onPing(b.Ping, reply)
	case *signalpb.ToNode_Enrol:
		return s.onEnrol(ctx, b.Enrol, reply)
	case *signalpb.ToNode_Officer:
		return s.onOfficer(ctx, b.Officer, reply)
	}
	if s.stage < stageAdmitted {
		return problem.New(problem.NotAccredited)
	}
	switch b := m.Body.(type) {
	case *signalpb.ToNode_Watch:
		return s.onWatch(b.Watch, reply)
	case *signalpb.ToNode_Submit:
		return s.onSubmit(b.Submit, m.Id, reply)
	case *signalpb.ToNode_UpOffer:
		return s.onUpOffer(ctx, b.UpOffer, reply)
	case *signalpb.ToNode_DownAnswer:
		return s.onDownAnswer(ctx, b.DownAnswer)
	case *signalpb.ToNode_Want:
		return s.onWant(b.Want)
	case *signalpb.ToNode_KeyFrame:
		return s.onKeyFrame(b.KeyFrame)
	case *signalpb.ToNode_Relay:
		return s.onRelay(b.Relay)
	case *signalpb.ToNode_Report:
		return s.onReport(b.Report)
	}
	return problem.New(problem.Malformed, "what", "frame")
}
