package buildspec

// Artifacts says which files a build leaves.
type Artifacts struct {
	Output
	Secondary []Output // each has an Identifier
}

// An Output is one set of files.
type Output struct {
	Identifier     string   // of a secondary artifact
	Files          []string // patterns below BaseDirectory
	Name           string   // as written: it goes through the shell
	BaseDirectory  string   // below the source's root if it is relative; may be a pattern
	S3Prefix       string
	Exclude        []string // patterns below BaseDirectory
	DiscardPaths   bool     // only the last names of paths are kept
	EnableSymlinks bool     // links stay links
}
