package report

// A CoverageQuery says which files of a report are listed, and in which order.
type CoverageQuery struct {
	ByPart     bool // by the part of lines that are covered, else by path
	Descending bool
	Min, Max   *float64 // percent of lines covered, both included; nil is no bound
}

// A CoveragePlace is where a page of files ends; the zero one is before the first.
type CoveragePlace struct {
	Part int64 // hundredths of a percent of lines covered
	Path string
}
