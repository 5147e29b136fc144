package buildspec

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Report names the files that make one report.
type Report struct {
	Group         string // a name, an ARN or a $VARIABLE
	Files         []string
	Format        string // upper case; JUNITXML unless the buildspec says otherwise, which may be a format that nobody knows
	BaseDirectory string // below the source's root if it is relative
	DiscardPaths  bool   // of the files that are exported
}

// reports reads the block. Of a group that is repeated the last one counts.
func (r *reader) reports(n *yaml.Node) ([]Report, error) {
	groups, err := r.mapping(n)
	if err != nil {
		return nil, err
	}
	var out []Report
	for _, group := range groups.names {
		k, err := r.mapping(groups.get(group))
		if err != nil {
			return nil, err
		}
		report := Report{Group: dropNUL(group), Format: "JUNITXML"}
		if report.Files, err = r.strings(k.get("files"), "Files"); err != nil {
			return nil, err
		}
		r.lint.patterns(k.get("files"))
		format, err := r.scalar(k.get("file-format"))
		if err != nil {
			return nil, err
		}
		if format != "" {
			report.Format = strings.ToUpper(format)
		}
		if report.BaseDirectory, err = r.scalar(k.get("base-directory")); err != nil {
			return nil, err
		}
		if report.DiscardPaths, err = r.boolean(k.get("discard-paths")); err != nil {
			return nil, err
		}
		r.lint.report(groups.at[group], k, report)
		out = append(out, report)
	}
	r.lint.groups(groups)
	return out, nil
}
