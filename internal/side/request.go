package side

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"

	"parley.link/parley/internal/canon"
	"parley.link/parley/internal/ident"
)

const requestPrefix = "parley-node-"

// NodeRequest is the line in which a node shows its key to the offline machine. It is public; its last eight digits only
// catch a slip of the hand.
func NodeRequest(public []byte) string {
	sum := sha256.Sum256(append([]byte(requestPrefix), public...))
	return requestPrefix + hex.EncodeToString(public) + "-" + hex.EncodeToString(sum[:4])
}

// ParseNodeRequest reads such a line.
func ParseNodeRequest(line string) ([]byte, error) {
	line = strings.TrimSpace(line)
	body, ok := strings.CutPrefix(line, requestPrefix)
	key, _, _ := strings.Cut(body, "-")
	public, err := hex.DecodeString(key)
	if !ok || err != nil || len(public) != 32 || subtle.ConstantTimeCompare([]byte(NodeRequest(public)), []byte(line)) != 1 {
		return nil, fmt.Errorf("%w: a node request is %s, 64 digits, a hyphen and 8 digits, all on one line", ErrArmour, requestPrefix)
	}
	return public, nil
}

// WordsMatch compares the words a person typed with those of a device, in constant time.
func WordsMatch(device []byte, typed string) bool {
	fold := func(s []string) []byte { return []byte(strings.Join(s, " ")) }
	return subtle.ConstantTimeCompare(fold(strings.Fields(strings.ToLower(strings.ReplaceAll(typed, "-", " ")))), fold(ident.DeviceWords(device))) == 1
}

// Card is this node's link card: signed by the node key, which the delegation key certified.
func Card(c Checked, node ident.Key, address string) []byte {
	return armour(armourCard, CardBytes(c, node, address))
}

// CardBytes is the card without its armour.
func CardBytes(c Checked, node ident.Key, address string) []byte {
	return canon.Encode(node.SignBody(ident.ContextLinkCard, ident.LinkCard{
		Version: ident.Version, Side: c.ID[:], Name: c.Name, Delegation: c.Delegation, Node: c.Node, Address: address, Until: c.NodeCert.Until,
	}))
}

// PeerCard is another side's card after its signatures were checked. That says only that whoever holds these keys wrote it;
// whose they are is what the fingerprint, typed by hand, says.
type PeerCard struct {
	ident.LinkCard
	Key         ident.DelegationKey
	NodeCert    ident.NodeCert
	Fingerprint ident.LinkFingerprint
}

// CardText reads a card from its text form.
func CardText(text []byte) ([]byte, error) { return unarmour(text, armourCard) }

// CheckCard verifies a card at now (ms).
func CheckCard(signed []byte, now int64) (PeerCard, error) {
	card, s, err := ident.Open[ident.LinkCard](signed)
	if err != nil {
		return PeerCard{}, fmt.Errorf("read the link card: %w", err)
	}
	p := PeerCard{LinkCard: card}
	if p.Key, err = ident.Decode[ident.DelegationKey](card.Delegation); err != nil {
		return p, fmt.Errorf("read the link card's delegation key: %w", err)
	}
	if id := ident.SideID(p.Key); string(id[:]) != string(card.Side) {
		return p, fmt.Errorf("check the link card: %w", ident.ErrSignature)
	}
	if p.NodeCert, err = ident.VerifyNode(card.Node, p.Key, now); err != nil {
		return p, fmt.Errorf("check the link card's node certificate: %w", err)
	}
	if err := ident.VerifySigned(s, ident.ContextLinkCard, p.NodeCert.Key); err != nil {
		return p, fmt.Errorf("check the link card's signature: %w", err)
	}
	if err := ident.InForce(0, card.Until, now); err != nil {
		return p, fmt.Errorf("check the link card: %w", err)
	}
	p.Fingerprint = ident.Fingerprint(p.Key, p.NodeCert.Key)
	return p, nil
}
