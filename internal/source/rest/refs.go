package rest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
)

// Refs returns what git ls-remote does: the commits that a repository's refs
// point at, annotated tags peeled. It asks the way git does, so it also tells
// whether a login may clone, and no provider counts it against the limits of
// its API. A repository without commits has no refs.
func (c *Client) Refs(ctx context.Context, r source.Repository, by source.Login) (map[string]string, error) {
	refs, _, err := c.advertisement(ctx, r, by)
	return refs, err
}

// Branches returns the commits of a repository's branches by short name, and
// which of them is the default: what HEAD leads to or, at a server that does not
// say it, the only branch that is where HEAD is.
func (c *Client) Branches(ctx context.Context, r source.Repository, by source.Login) (byDefault string, all map[string]string, err error) {
	refs, head, err := c.advertisement(ctx, r, by)
	if err != nil {
		return "", nil, err
	}
	all = map[string]string{}
	var candidates []string
	for ref, commit := range refs {
		if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			all[name] = commit
			if commit == refs["HEAD"] {
				candidates = append(candidates, name)
			}
		}
	}
	byDefault, _ = strings.CutPrefix(head, "refs/heads/")
	if head == "" && len(candidates) == 1 {
		byDefault = candidates[0]
	}
	if _, ok := all[byDefault]; !ok {
		byDefault = ""
	}
	return byDefault, all, nil
}

// advertisement returns a repository's refs and the one that HEAD is, "" if the
// server does not say it.
func (c *Client) advertisement(ctx context.Context, r source.Repository, by source.Login) (refs map[string]string, head string, err error) {
	a, err := c.Do(ctx, Call{
		URL: r.CloneURL() + "/info/refs?service=git-upload-pack", At: r.Site, By: by, Git: true,
		Header: http.Header{"Accept": {"application/x-git-upload-pack-advertisement"}},
	})
	if err != nil {
		return nil, "", err
	}
	refs, head, err = advertised(a.Body)
	if err != nil || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/x-git-upload-pack-advertisement") {
		return nil, "", &source.Refusal{Cause: slipway.FailureCauseProviderError, HTTPStatus: a.Status,
			Message:  "What answers at " + a.URL.Host + " is not a git server.",
			NextStep: "Check the address of the repository, and that no proxy or login page stands before it."}
	}
	return refs, head, nil
}

var errAdvertisement = errors.New("not the advertisement of a git server")

var objectID = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// advertised reads the first answer of git's smart protocol, version 0: packets
// of four hexadecimal digits that count themselves, and "id SP ref" in each.
// head is the capability symref=HEAD:ref of the first of them.
func advertised(body []byte) (refs map[string]string, head string, err error) {
	refs = map[string]string{}
	first := true
	for len(body) > 0 {
		if len(body) < 4 {
			return nil, "", errAdvertisement
		}
		n, err := strconv.ParseUint(string(body[:4]), 16, 16)
		if err != nil || n > 0 && n < 4 || int(n) > len(body) {
			return nil, "", errAdvertisement
		}
		if n == 0 { // flush
			body = body[4:]
			continue
		}
		line := body[4:n]
		body = body[n:]
		if first {
			first = false
			if !bytes.HasPrefix(line, []byte("# service=git-upload-pack")) {
				return nil, "", errAdvertisement
			}
			continue
		}
		line, capabilities, _ := bytes.Cut(line, []byte{0})
		for c := range bytes.FieldsSeq(capabilities) {
			if ref, ok := bytes.CutPrefix(c, []byte("symref=HEAD:")); ok {
				head = string(ref)
			}
		}
		id, ref, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		switch {
		case !ok || !objectID.MatchString(id):
			if strings.HasPrefix(id, "shallow") {
				continue
			}
			return nil, "", errAdvertisement
		case ref == "capabilities^{}": // there are none
		default:
			refs[strings.TrimSuffix(ref, "^{}")] = id // a peeled tag follows the tag
		}
	}
	if first {
		return nil, "", errAdvertisement
	}
	return refs, head, nil
}
