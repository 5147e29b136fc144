package sourcetest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// codeCommit is git as AWS CodeCommit serves it: a Token is an access key, its
// Login the id and its Value the secret key, and a request must be signed with
// it. Its repositories have the owner v1: https://host/v1/repos/name.
type codeCommit struct{ *Server }

// codeCommitHost is the host that logins must be signed for, wherever the
// server really is.
const codeCommitHost = "git-codecommit.us-east-1.amazonaws.com"

// signatureLife is how long a login is good.
const signatureLife = 15 * time.Minute

var codeCommitPath = regexp.MustCompile(`^(/v1/repos/([A-Za-z0-9._-]+))/(.+)$`)

func (c codeCommit) identify(r *http.Request) caller {
	user, password, sent := r.BasicAuth()
	path := codeCommitPath.FindStringSubmatch(r.URL.Path)
	if !sent || path == nil {
		return caller{sent: sent}
	}
	id, _, _ := strings.Cut(user, "%")
	stamp, got, _ := strings.Cut(password, "Z")
	at, err := time.Parse("20060102T150405", stamp)
	if err != nil || c.now().Sub(at).Abs() > signatureLife {
		return caller{sent: true}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tokens {
		if t.Login == id && hmac.Equal([]byte(got), []byte(codeCommitSignature(t.Value, stamp, path[1]))) {
			return caller{sent: true, known: true, token: t}
		}
	}
	return caller{sent: true}
}

func codeCommitSignature(secret, stamp, path string) string {
	sum := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	day := stamp[:8]
	request := sha256.Sum256([]byte("GIT\n" + path + "\n\nhost:" + codeCommitHost + "\n\nhost\n"))
	key := sum(sum(sum(sum([]byte("AWS4"+secret), day), "us-east-1"), "codecommit"), "aws4_request")
	return hex.EncodeToString(sum(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+day+"/us-east-1/codecommit/aws4_request\n"+hex.EncodeToString(request[:])))
}

func (c codeCommit) serve(w http.ResponseWriter, r *http.Request, who caller) {
	path := codeCommitPath.FindStringSubmatch(r.URL.Path)
	if path == nil {
		say(w, http.StatusNotFound, "Not Found\n")
		return
	}
	c.mu.Lock()
	repo := c.repositories[key("v1", path[2])]
	c.mu.Unlock()
	switch {
	case !who.sent:
		w.Header().Set("Www-Authenticate", `Basic realm="AWS CodeCommit"`)
		say(w, http.StatusUnauthorized, "")
	case !who.known:
		say(w, http.StatusForbidden, "")
	case repo == nil:
		say(w, http.StatusNotFound, "")
	default:
		c.backend(w, r, who, repo, path[3])
	}
}
