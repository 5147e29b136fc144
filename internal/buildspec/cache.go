package buildspec

// A Cache says what a build keeps for later ones.
type Cache struct {
	Paths     []string // patterns
	Key       string   // as written: it goes through the shell
	Fallbacks []string // likewise, in order
	Action    string   // "restore", "save", or empty for both
}
