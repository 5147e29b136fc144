package doctor

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"slipway/internal/api/slipway"
)

const reachTime = 5 * time.Second

// address looks at where clients and providers reach the server.
func (m Machine) address(ctx context.Context) []slipway.Finding {
	if m.Listen == "" {
		return nil
	}
	var all []slipway.Finding
	u, err := url.Parse(m.Listen)
	if ip := net.ParseIP(hostname(u, err)); u != nil && u.Scheme == "http" && (ip == nil || !ip.IsLoopback()) {
		all = one(AreaAddress, m.Listen, slipway.FindingLevelWarning, "The server listens beyond this machine without TLS: whoever is on the way reads what is imported.",
			"Put a proxy with TLS before it, and let it listen on 127.0.0.1 ('slipway serve --listen 127.0.0.1:4680').")
	} else {
		all = one(AreaAddress, m.Listen, slipway.FindingLevelOk, "The server listens on "+m.Listen+".", "")
	}
	if m.PublicURL == "" {
		return append(all, one(AreaAddress, "", slipway.FindingLevelOk, "There is no public URL, so providers cannot deliver webhooks here; "+
			"'slipway serve --public-url https://…' tells them where this server is, '--poll' does without.", "")...)
	}
	return append(all, m.public(ctx)...)
}

func hostname(u *url.URL, err error) string {
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// public asks the server for its health by its public URL, as a provider would
// reach it if that is on the way.
func (m Machine) public(ctx context.Context) []slipway.Finding {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	const fix = "Check the name, the proxy before the server and its certificate. That this machine itself does not get there does not prove that providers do not."
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(m.PublicURL, "/")+"/healthz", nil)
	if err != nil {
		return one(AreaAddress, m.PublicURL, slipway.FindingLevelError, "The public URL is no URL.", "Give one such as --public-url https://ci.example.com.")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		if ue, ok := err.(*url.Error); ok { //nolint:errorlint // Do returns nothing else
			err = ue.Err
		}
		return one(AreaAddress, m.PublicURL, slipway.FindingLevelWarning, "The public URL does not lead here: "+err.Error()+".", fix)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return one(AreaAddress, m.PublicURL, slipway.FindingLevelWarning, "At the public URL, /healthz answers "+resp.Status+".", fix)
	}
	return one(AreaAddress, m.PublicURL, slipway.FindingLevelOk, "The public URL leads to a server that is well.", "")
}

// docker tells whether a Docker daemon answers. Without the Docker runner none
// is needed, so it is never more than a note.
func (m Machine) docker(ctx context.Context) []slipway.Finding {
	socket := "/var/run/docker.sock"
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		path, unix := strings.CutPrefix(host, "unix://")
		if !unix {
			return one(AreaDocker, host, slipway.FindingLevelOk, "DOCKER_HOST names a daemon elsewhere, which was not asked. Builds run on this machine without Docker.", "")
		}
		socket = path
	}
	const none = " Builds run on this machine without Docker, so their images are not pulled; a buildspec that calls docker itself needs it."
	answers := "Docker answers." + none + " A server that is started now gives builds a container of their image, unless --runner says otherwise."
	if !exists(socket) {
		return one(AreaDocker, socket, slipway.FindingLevelOk, "There is no Docker here."+none, "")
	}
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
	if err != nil {
		return nil
	}
	resp, err := client.Do(r)
	if err != nil {
		return one(AreaDocker, socket, slipway.FindingLevelOk, "Docker is here and does not answer this user."+none, "")
	}
	resp.Body.Close()
	return one(AreaDocker, socket, slipway.FindingLevelOk, answers, "")
}
