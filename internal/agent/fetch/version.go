package fetch

import (
	"fmt"
	"strings"

	"slipway/internal/api"
)

// A version is what a sourceVersion asks for. The zero version is the head of
// the default branch.
type version struct {
	name   string // a branch, a tag or an abbreviated commit id
	ref    string // a full ref, such as refs/heads/main; then name is empty
	commit string // a full commit id: alone, or one that ref or name must have
}

// maxVersion bounds a sourceVersion, in bytes.
const maxVersion = 1024

// parseVersion reads a sourceVersion:
//
//	(empty)                        the default branch
//	main, v1.0, 1a2b3c4            a branch, a tag or an abbreviated commit id
//	<40 or 64 hexadecimal digits>  a commit id
//	pr/7                           a pull request's head: refs/pull/7/head for
//	                               GitHub's types, refs/merge-requests/7/head for GitLab's
//	refs/heads/main                that ref
//	<any of these>^{<commit id>}   that commit, which the ref must have
//
// Names follow git's rules for refs, so that none is an option, a path or an
// expression. What is wrong with it is told in a sentence, which else is empty.
func parseVersion(t api.SourceType, text string) (v version, problem string) {
	if len(text) > maxVersion {
		return v, fmt.Sprintf("A source version has at most %d characters.", maxVersion)
	}
	name := text
	if before, rest, ok := strings.Cut(text, "^{"); ok {
		commit, closed := strings.CutSuffix(rest, "}")
		commit = strings.ToLower(commit)
		if !closed || !isCommit(commit) {
			return version{}, "After a reference, ^{…} must hold a full commit id, such as refs/heads/main^{0123456789abcdef0123456789abcdef01234567}."
		}
		name, v.commit = before, commit
		if name == "" {
			return version{}, "A reference must stand before ^{…}."
		}
	}
	number, pull := pullRequest(name)
	switch {
	case name == "" || name == "HEAD":
	case !validRef(name):
		return version{}, "This cannot be the name of a branch, a tag or a commit."
	case v.commit == "" && isCommit(strings.ToLower(name)):
		v.commit = strings.ToLower(name)
	case pull && t == api.SourceTypeBitbucket:
		return version{}, "Bitbucket has no refs for pull requests: build the commit or the branch that the pull request comes from, " +
			"by the commit's full id or the branch's name. A branch that is really called " + name + " is refs/heads/" + name + "."
	case pull && pulls[t] != "":
		v.ref = pulls[t] + number + "/head"
	case strings.HasPrefix(name, "refs/"):
		v.ref = name
	default:
		v.name = name
	}
	return v, ""
}

// pulls is where the pull requests of a provider are among its refs.
var pulls = map[api.SourceType]string{
	api.SourceTypeGithub:            "refs/pull/",
	api.SourceTypeGithubEnterprise:  "refs/pull/",
	api.SourceTypeGitlab:            "refs/merge-requests/",
	api.SourceTypeGitlabSelfManaged: "refs/merge-requests/",
}

// pullRequest returns the number in pr/<number>.
func pullRequest(name string) (number string, ok bool) {
	number, ok = strings.CutPrefix(name, "pr/")
	return number, ok && number != "" && strings.Trim(number, "0123456789") == ""
}

// isCommit reports whether s is a full commit id, SHA-1 or SHA-256.
func isCommit(s string) bool { return (len(s) == 40 || len(s) == 64) && isHex(s) }

// mayBeCommit reports whether s may be an abbreviated commit id.
func mayBeCommit(s string) bool { return len(s) >= 4 && len(s) < 64 && isHex(strings.ToLower(s)) }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// validRef holds git's rules for refs (git check-ref-format --allow-onelevel),
// and one of ours: no leading hyphen.
func validRef(s string) bool {
	if s == "@" || strings.HasPrefix(s, "-") || strings.HasSuffix(s, ".") || strings.Contains(s, "..") || strings.Contains(s, "@{") {
		return false
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) }) {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}
