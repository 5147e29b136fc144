package buildspec

import (
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/lazy"
)

// scalars yields the scalars of a list, or the one that stands for a list.
func scalars(n *yaml.Node) iter.Seq[*yaml.Node] {
	return func(yield func(*yaml.Node) bool) {
		if n == nil {
			return
		}
		items := n.Content
		if n.Kind != yaml.SequenceNode {
			items = []*yaml.Node{n}
		}
		for _, item := range items {
			if item.Kind == yaml.AliasNode {
				item = item.Alias
			}
			if item.Kind == yaml.ScalarNode && !yield(item) {
				return
			}
		}
	}
}

// pairs yields the keys and values of a mapping as it is written, without what
// is merged into it.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(k, v *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// variableName is what a shell takes as a name.
var variableName = lazy.Regexp(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expanded is what would be a variable or a command in a shell.
var expanded = lazy.Regexp(`\$([A-Za-z_]|\{[A-Za-z_]|\([A-Za-z_])`)

// settable are the names with the reserved prefix that are meant to be set.
var settable = []string{"CODEBUILD_CONFIG_AUTO_DISCOVER", "CODEBUILD_CONFIG_AUTO_DISCOVER_DIR"}

// environment tells of odd variables; n are the maps of the block, those with
// plain values first.
func (l *linter) environment(n ...*yaml.Node) {
	if l == nil {
		return
	}
	seen := map[string]int{}
	for i, m := range n {
		for key, value := range pairs(m) {
			if l.full(Odd) {
				return
			}
			name := key.Value
			if before, twice := seen[name]; twice && before != i && key.Tag != "!!merge" {
				l.add(Odd, key, fmt.Sprintf("The variable %s is in another block of env too: give it one value, since CodeBuild does not say which one counts.", clipKey(name)))
			}
			seen[name] = i
			switch {
			case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
				continue
			case !variableName().MatchString(name):
				l.add(Odd, key, fmt.Sprintf("The variable %s is left out: a name is made of letters, digits and underscores and does not begin with a digit.", clipKey(name)))
			case strings.HasPrefix(name, "CODEBUILD_") && !slices.Contains(settable, name):
				l.add(Odd, key, "Names that begin with CODEBUILD_ are the service's own: give it another one.")
			}
			switch {
			case i > 0 || value.Kind != yaml.ScalarNode || !expanded().MatchString(value.Value):
			case name == "PATH":
				l.add(Odd, value, "PATH becomes exactly this text, since nothing is expanded here, and then no tool is found. Extend it in a command: export PATH=\"$PATH:/opt/tool/bin\"")
			default:
				l.add(Odd, value, fmt.Sprintf("Nothing is expanded here: %s becomes exactly this text, with its dollar sign. Set it in a command if it is made of other variables.", short(name)))
			}
		}
	}
}

// exported tells of names that cannot be exported.
func (l *linter) exported(n *yaml.Node) {
	if l == nil {
		return
	}
	for item := range scalars(n) {
		switch {
		case l.full(Odd):
			return
		case strings.HasPrefix(item.Value, "AWS_"):
			l.add(Odd, item, "CodeBuild exports no variable whose name begins with AWS_.")
		case strings.HasPrefix(item.Value, "$"):
			l.add(Odd, item, "This is a list of names: write them without a dollar sign.")
		}
	}
}

// patterns tells of odd patterns of files below a base directory.
func (l *linter) patterns(n *yaml.Node) {
	if l == nil {
		return
	}
	for item := range scalars(n) {
		if l.full(Odd) {
			return
		}
		switch p := item.Value; {
		case strings.HasPrefix(p, "./"):
			l.add(Odd, item, fmt.Sprintf("Files are looked for below base-directory, by default the source: write %s", short(strings.TrimLeft(p, "./"))))
		case strings.HasPrefix(p, "/"):
			l.add(Odd, item, "Files are looked for below base-directory, by default the source. An absolute path belongs there: base-directory: /folder and files: ['**/*']")
		case p == ".." || strings.HasPrefix(p, "../"):
			l.add(Odd, item, "Files are looked for below base-directory, by default the source: what is above it cannot be named here, but base-directory can be another one.")
		case strings.HasSuffix(p, "/"):
			l.add(Odd, item, fmt.Sprintf("A directory alone names no file: write %s**/*", short(p)))
		}
	}
}

const noFiles = "no files are named here: CodeBuild wants a list 'files' with patterns such as '**/*'"

func (l *linter) artifacts(n *yaml.Node, k keys, a *Artifacts) {
	if l == nil {
		return
	}
	l.block(k, "artifacts", append([]string{"secondary-artifacts", "type"}, outputKeys...)...)
	if len(a.Files) == 0 {
		l.add(Odd, n, "A build whose project has artifacts fails with 'no definition for primary artifacts in buildspec', since "+noFiles+".")
	}
	if most := 12; len(a.Secondary) > most {
		l.add(Odd, k.at["secondary-artifacts"], fmt.Sprintf("A project has at most %d secondary artifacts: no project can have all of these %d.", most, len(a.Secondary)))
	}
}

func (l *linter) secondary(at *yaml.Node, k keys, o Output) {
	if l == nil || l.full(Odd) {
		return
	}
	l.block(k, "a secondary artifact", append([]string{"type"}, outputKeys...)...)
	switch {
	case slices.Contains(outputKeys, o.Identifier):
		l.add(Odd, at, fmt.Sprintf("This makes %s a secondary artifact. Each begins with its identifier, below which are its files.", o.Identifier))
	case !identifier(o.Identifier):
		l.add(Odd, at, fmt.Sprintf("No project can have the artifact %s: an identifier is made of letters, digits and underscores, and shorter than 128.", clipKey(o.Identifier)))
	case len(o.Files) == 0:
		l.add(Odd, at, "Nothing can be uploaded as "+short(o.Identifier)+", since "+noFiles+".")
	}
}

func (l *linter) cache(n *yaml.Node, k keys, c *Cache) {
	if l == nil {
		return
	}
	l.block(k, "cache", "paths", "key", "fallback-keys", "action")
	if len(c.Paths) == 0 {
		l.add(Odd, n, "Nothing is kept, since cache has no list 'paths' with patterns such as '/root/.m2/**/*'.")
	}
	if c.Key == "" && k.has("fallback-keys") {
		l.add(Odd, k.at["fallback-keys"], "Without a key fallback-keys are ignored.")
	}
	for item := range scalars(k.get("paths")) {
		if l.full(Odd) {
			return
		}
		if bare(item.Value) {
			l.add(Odd, item, fmt.Sprintf("CodeBuild keeps nothing of a directory that is named alone: write %s/**/*", short(strings.TrimRight(item.Value, "/"))))
		}
	}
}

// bare reports whether a path is that of a directory rather than of files.
func bare(p string) bool {
	last := strings.TrimLeft(path.Base(p), ".")
	return p != "" && !strings.ContainsAny(p, "*?[{") && (strings.HasSuffix(p, "/") || !strings.Contains(last, "."))
}

// reportFormats are the formats that CodeBuild reads.
var reportFormats = []string{
	"CUCUMBERJSON", "JUNITXML", "NUNITXML", "NUNIT3XML", "TESTNGXML", "VISUALSTUDIOTRX",
	"CLOVERXML", "COBERTURAXML", "JACOCOXML", "SIMPLECOV",
}

func (l *linter) report(at *yaml.Node, k keys, r Report) {
	if l == nil || l.full(Odd) {
		return
	}
	l.block(k, "a report", "files", "file-format", "base-directory", "discard-paths")
	if len(r.Files) == 0 {
		l.add(Odd, at, "No report can be made, since "+noFiles+".")
	}
	if n := k.get("file-format"); n != nil && !slices.Contains(reportFormats, r.Format) {
		which := didYouMean(r.Format, reportFormats)
		part := func(format string) bool { return len(r.Format) > 2 && strings.Contains(format, r.Format) } // junit
		if i := slices.IndexFunc(reportFormats, part); which == "" && i >= 0 {
			which = ". Did you mean " + reportFormats[i] + "?"
		} else if which == "" {
			which = ". There are " + strings.Join(reportFormats, ", ") + "."
		}
		l.add(Odd, n, fmt.Sprintf("No report can be read of the format %s%s", clipKey(n.Value), which))
	}
}

// groups tells of more reports than CodeBuild makes.
func (l *linter) groups(k keys) {
	if most := 5; l != nil && len(k.names) > most {
		l.add(Odd, k.at[k.names[most]], fmt.Sprintf("CodeBuild makes reports of at most %d groups, and this is one more.", most))
	}
}
