package report

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"slipway/internal/api"
)

// Bounds of what a Coverage holds in memory, far above what a report of real
// sources needs: 32 million lines of code, one behind the other.
const (
	maxMeasured = 100_000    // files
	maxPaths    = 8 << 20    // bytes of their paths
	maxChunks   = 500_000    // stretches of chunkLines lines
	maxBranches = 1_000_000  // places that branch
	maxLine     = 10_000_000 // of a file
)

// A Coverage gathers which lines and branches of source files were run. What
// several results say of a file is united: a line is covered if one of them
// says so. The zero Coverage is ready.
type Coverage struct {
	files                   map[string]*File
	paths, chunks, branches int
}

// A File is a source file that was measured.
type File struct {
	of       *Coverage
	lines    map[uint32]*chunk
	branches map[uint64]branch
}

// chunkLines is how many lines a chunk is about.
const chunkLines = 256

type chunk struct{ known, covered [chunkLines / 64]uint64 }

type branch struct{ covered, total int32 }

// unnamed is the path of files that have none.
const unnamed = "(unnamed)"

// File returns the file at a path, to which lines can be added.
func (c *Coverage) File(path string) (*File, error) {
	path = cmp.Or(Cut(path, MaxName), unnamed)
	if f := c.files[path]; f != nil {
		return f, nil
	}
	if len(c.files) == maxMeasured || c.paths+len(path) > maxPaths {
		return nil, fmt.Errorf("the report tells of more than %d source files, or %d MB of paths", maxMeasured, maxPaths>>20)
	}
	c.paths += len(path)
	if c.files == nil {
		c.files = map[string]*File{}
	}
	f := &File{of: c}
	c.files[path] = f
	return f, nil
}

// Line adds that a line can be run, and whether it was.
func (f *File) Line(number int64, covered bool) error {
	if number < 0 || number > maxLine {
		return fmt.Errorf("%d is no number of a line", number)
	}
	at := uint32(number / chunkLines)
	c := f.lines[at]
	if c == nil {
		if f.of.chunks == maxChunks {
			return fmt.Errorf("the report tells of too many lines: it is read up to %d stretches of %d", maxChunks, chunkLines)
		}
		f.of.chunks++
		if f.lines == nil {
			f.lines = map[uint32]*chunk{}
		}
		c = &chunk{}
		f.lines[at] = c
	}
	word, bit := number%chunkLines/64, uint64(1)<<(number%64)
	c.known[word] |= bit
	if covered {
		c.covered[word] |= bit
	}
	return nil
}

// Branches adds that a place, which is anything that names it, goes on in one
// of total ways, of which some were taken.
func (f *File) Branches(place uint64, covered, total int64) error {
	const most = 1 << 20
	if covered < 0 || total < covered || total > most {
		return fmt.Errorf("%d of %d is no number of branches", covered, total)
	}
	if total == 0 {
		return nil
	}
	b, known := f.branches[place]
	if !known {
		if f.of.branches == maxBranches {
			return fmt.Errorf("the report tells of more than %d branches", maxBranches)
		}
		f.of.branches++
		if f.branches == nil {
			f.branches = map[uint64]branch{}
		}
	}
	f.branches[place] = branch{covered: max(b.covered, int32(covered)), total: max(b.total, int32(total))}
	return nil
}

// Measured returns how many files have lines or branches that can be run.
func (c *Coverage) Measured() (n int) {
	for _, f := range c.files {
		if f.sum() != (sum{}) {
			n++
		}
	}
	return n
}

// Summary sums all files.
func (c *Coverage) Summary() *api.CodeCoverageReportSummary {
	var all sum
	for _, f := range c.files {
		all.add(f.sum())
	}
	return &api.CodeCoverageReportSummary{
		LinesCovered: &all.lines, LinesMissed: &all.linesMissed, LineCoveragePercentage: Percentage(all.lines, all.linesMissed),
		BranchesCovered: &all.branches, BranchesMissed: &all.branchesMissed, BranchCoveragePercentage: Percentage(all.branches, all.branchesMissed),
	}
}

// Files returns what is listed of the files: the first MaxFiles by path, less
// those in which nothing can be run.
func (c *Coverage) Files() []api.CodeCoverage {
	paths := make([]string, 0, len(c.files))
	for path := range c.files {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	var out []api.CodeCoverage
	for _, path := range paths {
		s := c.files[path].sum()
		if s == (sum{}) {
			continue
		}
		if len(out) == MaxFiles {
			break
		}
		out = append(out, api.CodeCoverage{
			FilePath:     &path,
			LinesCovered: &s.lines, LinesMissed: &s.linesMissed, LineCoveragePercentage: Percentage(s.lines, s.linesMissed),
			BranchesCovered: &s.branches, BranchesMissed: &s.branchesMissed, BranchCoveragePercentage: Percentage(s.branches, s.branchesMissed),
		})
	}
	return out
}

// Percentage returns covered as a part of all, cut to two digits as CodeBuild's
// is: 10 of 11 are 90.9. Of nothing it is nil.
func Percentage(covered, missed int) *float64 {
	all := covered + missed
	if all == 0 {
		return nil
	}
	p := float64(int64(covered)*10_000/int64(all)) / 100
	return &p
}

type sum struct{ lines, linesMissed, branches, branchesMissed int }

func (s *sum) add(o sum) {
	s.lines += o.lines
	s.linesMissed += o.linesMissed
	s.branches += o.branches
	s.branchesMissed += o.branchesMissed
}

func (f *File) sum() (s sum) {
	for _, c := range f.lines {
		for i, known := range c.known {
			covered := bits.OnesCount64(c.covered[i])
			s.lines += covered
			s.linesMissed += bits.OnesCount64(known) - covered
		}
	}
	for _, b := range f.branches {
		s.branches += int(b.covered)
		s.branchesMissed += int(b.total - b.covered)
	}
	return s
}
