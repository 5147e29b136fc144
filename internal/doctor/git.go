package doctor

import (
	"context"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"slipway/internal/api/slipway"
)

// Of git's versions, the first that speaks as sources are downloaded.
const (
	gitMajor = 2
	gitMinor = 31
)

var gitVersion = regexp.MustCompile(`^git version (\d{1,6})\.(\d{1,6})`)

func git(ctx context.Context) []slipway.Finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	const fix = "Install git 2.31 or newer with your system's packages, such as 'apt-get install git'."
	out, err := exec.CommandContext(ctx, "git", "--version").Output()
	if err != nil {
		return one(AreaGit, "", slipway.FindingLevelError, "git does not run here, so no source can be downloaded: "+err.Error()+".", fix)
	}
	said := strings.TrimSpace(string(out))
	if !newEnough(said) {
		return one(AreaGit, "", slipway.FindingLevelError, "This machine has "+said+"; sources are downloaded with what 2.31 brought.", fix)
	}
	return one(AreaGit, "", slipway.FindingLevelOk, "This machine has "+said+".", "")
}

// newEnough reads what git --version says.
func newEnough(said string) bool {
	m := gitVersion.FindStringSubmatch(said)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[1]) // digits
	minor, _ := strconv.Atoi(m[2])
	return major > gitMajor || major == gitMajor && minor >= gitMinor
}
