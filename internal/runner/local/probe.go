package local

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// probeTime bounds the trial runs of bubblewrap.
const probeTime = 10 * time.Second

// probes is how often bubblewrap is tried: it fails when something is unmounted
// just as it makes its own view of the mounts, as containers are that end.
const probes = 4

// Probe finds bubblewrap and tries whether it works here with the options that
// agents use. The error says what to install or to allow.
func Probe(ctx context.Context) (bubblewrap string, err error) {
	bwrap, err := exec.LookPath("bwrap")
	if err != nil {
		return "", errors.New("bubblewrap (bwrap) is not installed; it shuts builds off from this machine: " +
			"install it with 'apt-get install bubblewrap', 'dnf install bubblewrap' or 'apk add bubblewrap'")
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	var out []byte
	for range probes {
		out, err = exec.CommandContext(ctx, bwrap, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev",
			"--unshare-pid", "--unshare-ipc", "--unshare-uts", "--", "true").CombinedOutput()
		if err == nil {
			return bwrap, nil
		}
	}
	reason := strings.TrimSpace(string(out))
	if reason == "" {
		reason = err.Error()
	}
	return "", fmt.Errorf("bubblewrap (%s) does not work here: %s; it needs user namespaces or root: "+
		"allow them with 'sysctl kernel.unprivileged_userns_clone=1' (on Ubuntu also kernel.apparmor_restrict_unprivileged_userns=0), "+
		"and in a container with '--security-opt seccomp=unconfined' and an unmasked /proc", bwrap, reason)
}
