package ident

// Roles a person may have in a session (product vocabulary). The client has a word for each in every language.
var roles = map[string]bool{
	"principal": true, "head_of_delegation": true, "sherpa": true, "adviser": true, "note_taker": true,
	"interpreter": true, "chief_interpreter": true, "technical_lead": true, "protocol_officer": true,
	"security_officer": true, "press_officer": true, "chair": true, "mediator": true, "secretariat": true, "observer": true,
}

// IsRole says whether r is a word of the vocabulary.
func IsRole(r string) bool { return roles[r] }
