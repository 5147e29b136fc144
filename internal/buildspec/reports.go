package buildspec

// A Report names the files that make one report.
type Report struct {
	Group         string // a name, an ARN or a $VARIABLE
	Files         []string
	Format        string // upper case; JUNITXML unless the buildspec says otherwise
	BaseDirectory string
	DiscardPaths  bool
}
