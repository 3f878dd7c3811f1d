package seat

import "parley.link/parley/internal/wire/signalpb"

// onPing answers with the node's clock, by which clients tell how late things are.
func (s *Seat) onPing(p *signalpb.Ping, reply func(*signalpb.ToClient)) error {
	reply(&signalpb.ToClient{Body: &signalpb.ToClient_Pong{Pong: &signalpb.Pong{Sent: p.Sent, Now: s.cfg.Now().UnixMilli()}}})
	return nil
}
