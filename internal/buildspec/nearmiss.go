package buildspec

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// homes are the blocks that keys belong to, for those who write them elsewhere.
var homes = map[string]string{
	"install": "phases", "pre_build": "phases", "build": "phases", "post_build": "phases",
	"commands": "a phase such as build", "finally": "a phase such as build", "on-failure": "a phase such as build", "runtime-versions": "install, which is a phase",
	"variables": "env", "parameter-store": "env", "secrets-manager": "env", "exported-variables": "env", "git-credential-helper": "env", "shell": "env",
	"phases": "the top", "env": "the top", "artifacts": "the top", "cache": "the top", "reports": "the top", "batch": "the top", "proxy": "the top", "version": "the top",
}

// block tells of keys that mean nothing in the block called name, "" being the
// top. There a key that holds an anchor means something to other keys.
func (l *linter) block(k keys, name string, known ...string) {
	if l == nil {
		return
	}
	here := " here"
	if name != "" {
		here = " in " + name
	}
	for _, key := range k.names {
		if l.full(Odd) {
			return
		}
		if slices.Contains(known, key) {
			continue
		}
		n := k.at[key]
		home, elsewhere := homes[key]
		switch near := nearest(key, known); {
		case key == "environment_variables" && name == "":
			l.add(Odd, n, "In version 0.2 environment_variables is ignored: write variables below env.")
		case key == "env" && name == "":
			l.add(Odd, n, "In version 0.1 env is ignored: write plaintext below environment_variables, or version: 0.2.")
		case elsewhere:
			l.add(Odd, n, fmt.Sprintf("The key %s is ignored%s: it belongs to %s. Mind the indentation.", clipKey(key), here, home))
		case near != "":
			l.add(Odd, n, fmt.Sprintf("The key %s is unknown%s and ignored: did you mean %s?", clipKey(key), here, near))
		case name == "" && (strings.HasPrefix(key, "x-") || strings.HasPrefix(key, ".") || anchored(k.values[key])):
		default:
			l.add(Odd, n, fmt.Sprintf("The key %s is unknown%s and ignored. There are %s.", clipKey(key), here, strings.Join(known, ", ")))
		}
	}
}

// instead is the end of a message on a key, with a full stop before it: what it
// is probably meant to be; "" if that is not known.
func instead(key string, known []string) string {
	if home, ok := homes[key]; ok {
		return ". It belongs to " + home + ": mind the indentation."
	}
	return didYouMean(key, known)
}

// didYouMean is a question with a full stop before it, or "".
func didYouMean(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return ". Did you mean " + near + "?"
	}
	return ""
}

// anchored reports whether something in n, as it is written, has an anchor.
func anchored(n *yaml.Node) bool {
	return n.Anchor != "" || n.Kind != yaml.AliasNode && slices.ContainsFunc(n.Content, anchored)
}

// nearest returns the known key that another is probably meant to be; "" if
// there is none.
func nearest(key string, known []string) string {
	const longest = 40
	if len(key) > longest {
		return ""
	}
	best, nearest := 3, ""
	meant := plain(key)
	for _, candidate := range known {
		most := 2
		if len(candidate) <= 4 {
			most = 1
		}
		is := plain(candidate)
		if more := len(is) - len(meant); more > most || -more > most {
			continue
		}
		if d := distance(meant, is); d <= most && d < best {
			best, nearest = d, candidate
		}
	}
	return nearest
}

var joined = strings.NewReplacer("-", "", "_", "", " ", "")

// plain is a key without what people vary: case, hyphens, a plural.
func plain(key string) string {
	return strings.TrimSuffix(joined.Replace(strings.ToLower(key)), "s")
}

// distance is how many letters must be added, removed, changed or swapped with
// their neighbour to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// longestName is how many bytes of a name a message has.
const longestName = 40

// clipKey is a key for a message, in quotes.
func clipKey(key string) string {
	if len(key) <= longestName {
		return fmt.Sprintf("%q", key)
	}
	return fmt.Sprintf("%q...", strings.ToValidUTF8(key[:longestName], ""))
}

// short is a name for a message.
func short(name string) string {
	if len(name) <= longestName {
		return name
	}
	return strings.ToValidUTF8(name[:longestName], "") + "..."
}
