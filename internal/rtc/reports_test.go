package rtc

import (
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
)

func TestNoReportOnASourceThatIsSilent(t *testing.T) {
	made, err := onlyOfHeard{}.NewInterceptor("")
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	w := made.BindRTCPWriter(interceptor.RTCPWriterFunc(func([]rtcp.Packet, interceptor.Attributes) (int, error) {
		left++
		return 0, nil
	}))
	report := func(ssrc, highest uint32) rtcp.Packet {
		return &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: ssrc, LastSequenceNumber: highest}}}
	}
	for i, c := range []struct {
		packet rtcp.Packet
		leaves bool
	}{
		{report(1, 0), true}, // the first, whatever it says
		{report(1, 0), false},
		{report(2, 0), true},
		{report(1, 7), true},
		{report(1, 7), false},
		{report(1, 7), false},
		{&rtcp.PictureLossIndication{MediaSSRC: 1}, true},
		{&rtcp.TransportLayerCC{MediaSSRC: 1}, true},
		{report(2, 0), false},
		{report(1, 8), true},
	} {
		before := left
		if _, err := w.Write([]rtcp.Packet{c.packet}, nil); err != nil {
			t.Fatal(err)
		}
		if left > before != c.leaves {
			t.Errorf("packet %d: left %v, want %v", i, left > before, c.leaves)
		}
	}
}
