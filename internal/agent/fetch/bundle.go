package fetch

// Bundle returns the certificates that this machine trusts and those in ca, as
// PEM, for a git that trusts one file only.
func Bundle(ca string) []byte { return bundle(ca) }
