package buildspec

import "go.yaml.in/yaml/v3"

// Artifacts says which files a build leaves.
type Artifacts struct {
	Output             // without Files no artifact can be made: CodeBuild wants them beside secondary ones, too
	Secondary []Output // each has an Identifier; in the order they are written
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

// outputKeys are the keys of an Output.
var outputKeys = []string{"files", "name", "base-directory", "exclude-paths", "discard-paths", "enable-symlinks", "s3-prefix"}

// artifacts reads the block, nil if there is none. What is missing in it is not
// refused here: a project without artifacts does not use it.
func (r *reader) artifacts(n *yaml.Node) (*Artifacts, error) {
	if n == nil {
		return nil, nil
	}
	k, err := r.mapping(n)
	if err != nil {
		return nil, err
	}
	a := new(Artifacts)
	if err := r.output(k, &a.Output); err != nil {
		return nil, err
	}
	secondary, err := r.mapping(k.get("secondary-artifacts"))
	if err != nil {
		return nil, err
	}
	for _, identifier := range secondary.names {
		k, err := r.mapping(secondary.get(identifier))
		if err != nil {
			return nil, err
		}
		o := Output{Identifier: dropNUL(identifier)}
		if err := r.output(k, &o); err != nil {
			return nil, err
		}
		r.lint.secondary(secondary.at[identifier], k, o)
		a.Secondary = append(a.Secondary, o)
	}
	r.lint.artifacts(n, k, a)
	return a, nil
}

func (r *reader) output(k keys, o *Output) error {
	var err error
	if o.Files, err = r.strings(k.get("files"), "Files"); err != nil {
		return err
	}
	r.lint.patterns(k.get("files"))
	if o.Name, err = r.scalar(k.get("name")); err != nil {
		return err
	}
	if o.BaseDirectory, err = r.scalar(k.get("base-directory")); err != nil {
		return err
	}
	if o.S3Prefix, err = r.scalar(k.get("s3-prefix")); err != nil {
		return err
	}
	if o.Exclude, err = r.strings(k.get("exclude-paths"), "Exclude-paths"); err != nil {
		return err
	}
	if o.DiscardPaths, err = r.boolean(k.get("discard-paths")); err != nil {
		return err
	}
	o.EnableSymlinks, err = r.boolean(k.get("enable-symlinks"))
	return err
}
