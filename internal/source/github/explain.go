package github

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/credential/token"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// said is what GitHub writes in an answer that is not the wanted one.
type said struct {
	Message          string `json:"message"`
	DocumentationURL string `json:"documentation_url"`
	Errors           []any  `json:"errors"` // objects, and now and then strings
}

func read(a *rest.Answer) said {
	var s said
	_ = json.Unmarshal(a.Body, &s) // whatever answers in GitHub's place may not speak JSON
	return s
}

// words returns what GitHub says, the reasons of a "Validation Failed" included.
func words(a *rest.Answer) string {
	s := read(a)
	out := s.Message
	for _, e := range s.Errors {
		switch e := e.(type) {
		case string:
			out += ": " + e
		case map[string]any:
			reason, _ := e["message"].(string)
			if field, _ := e["field"].(string); reason == "" && field != "" {
				code, _ := e["code"].(string)
				reason = field + " is " + strings.ReplaceAll(code, "_", " ")
			}
			if reason != "" {
				out += ": " + reason
			}
		}
	}
	if out == "" && strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") { // git's answers
		out = string(a.Body[:min(len(a.Body), 1000)])
	}
	return out
}

// limited reports whether an answer is a rate limit and how long it lasts.
// GitHub says 403 as often as 429 for these, and 403 for much else: nothing but
// its headers, or the page it points at, makes a 403 a limit.
func (p *Provider) limited(a *rest.Answer) (time.Duration, bool) {
	if a.Status != http.StatusForbidden && a.Status != http.StatusTooManyRequests {
		return 0, false
	}
	if after, ok := rest.RetryAfter(a.Header, p.now()); ok {
		return after, true
	}
	s := read(a)
	about := strings.Contains(strings.ToLower(s.Message), "rate limit") || s.Message == ""
	if a.Header.Get("X-RateLimit-Remaining") == "0" && (about || a.Status == http.StatusTooManyRequests) {
		after, told := rest.Until(a.Header, "X-RateLimit-Reset", p.now())
		if told {
			after = max(after, time.Second) // it may have just ended
		}
		return after, true
	}
	secondary := strings.HasSuffix(s.DocumentationURL, "secondary-rate-limits") || strings.HasSuffix(s.DocumentationURL, "#abuse-rate-limits") ||
		strings.HasPrefix(s.Message, "You have exceeded a secondary rate limit")
	return 0, secondary || a.Status == http.StatusTooManyRequests
}

// A subject is what a call was about.
type subject struct {
	owner string // "" if it was about nothing of anybody's
	name  string // "" for an organization
	thing string // the element after these: hooks, statuses, commits, …
}

func (s subject) String() string {
	if s.name == "" {
		return s.owner
	}
	return s.owner + "/" + s.name
}

func about(call rest.Call) subject {
	u, err := url.Parse(call.URL)
	if err != nil {
		return subject{}
	}
	base := call.At.APIBase
	if call.Git {
		base = call.At.WebBase
	}
	root, err := url.Parse(base)
	if err != nil {
		return subject{}
	}
	part := append(strings.Split(strings.TrimPrefix(strings.TrimPrefix(u.Path, root.Path), "/"), "/"), "", "", "", "")
	switch {
	case call.Git:
		return subject{part[0], strings.TrimSuffix(part[1], ".git"), "git"}
	case part[0] == "repos":
		return subject{part[1], part[2], part[3]}
	case part[0] == "orgs":
		return subject{part[1], "", part[2]}
	case part[0] == "admin":
		return subject{"", "", "admin"}
	}
	return subject{}
}

// wanted is the classic scope that is the least for a thing.
func (s subject) scope() string {
	switch {
	case s.thing == "admin":
		return "site_admin"
	case s.thing == "hooks" && s.name == "":
		return "admin:org_hook"
	case s.thing == "hooks":
		return "admin:repo_hook"
	case s.thing == "statuses":
		return "repo:status"
	}
	return "repo"
}

// says adds what an answer means to a Refusal.
func says(r *source.Refusal, cause slipway.FailureCause, meaning, next, link string) {
	r.Cause, r.NextStep, r.Link = cause, next, link
	if meaning != "" {
		r.Message += " " + meaning
	}
}

// explain says what a refusal of GitHub's means: the first of these that fits.
func explain(a *rest.Answer, r *source.Refusal, call rest.Call) {
	s := about(call)
	text := strings.ToLower(words(a))
	for _, reading := range []func(*rest.Answer, *source.Refusal, rest.Call, subject, string) bool{policy, identity, permission, hooking, visibility} {
		if reading(a, r, call, s, text) {
			return
		}
	}
}

// policy reads the refusals of tokens that are good, by what an organization
// or enterprise demands.
func policy(a *rest.Answer, r *source.Refusal, call rest.Call, s subject, text string) bool {
	at := call.At
	switch sso, required := strings.CutPrefix(a.Header.Get("X-GitHub-SSO"), "required"); {
	case required || strings.Contains(text, "saml enforcement") || strings.Contains(text, "saml sso"):
		_, target, _ := strings.Cut(sso, "url=")
		link := web(target)
		if link == "" {
			link = at.WebBase + classicPage
		}
		says(r, slipway.FailureCauseSsoRequired, "The token is good, but "+owner(s)+" asks for single sign-on.",
			"Open "+link+" within the hour and authorize the token for single sign-on; it need not be imported again.", link)
	case strings.Contains(text, "ip allow list"):
		link := at.WebBase
		if s.owner != "" {
			link += "/organizations/" + url.PathEscape(s.owner) + "/settings/security"
		}
		says(r, slipway.FailureCauseIpNotAllowed, "The token is good, but "+owner(s)+" lets in only addresses on its list, and this server's is not on it.",
			"Let an owner of the organization add this server's public address to the IP allow list at "+link+".", link)
	case strings.Contains(text, "(classic)") && (strings.Contains(text, "forbids access via") && !strings.Contains(text, "lifetime") || strings.Contains(text, "are forbidden")):
		link := token.GitHubFinePage(at.WebBase, s.owner)
		says(r, slipway.FailureCauseKindForbidden, "The token is good, but "+owner(s)+" refuses classic tokens.",
			"Make a fine-grained token at "+link+" and import it with 'slipway credential import'.", link)
	case strings.Contains(text, "lifetime is greater than"):
		link := firstURL(words(a))
		if link == "" {
			link = at.WebBase + classicPage
			if call.By.Kind == slipway.TokenKindGithubFineGrained {
				link = at.WebBase + finePage
			}
		}
		says(r, slipway.FailureCauseLifetimePolicy, "The token is good, but lives longer than "+owner(s)+" allows.",
			"Give the token an earlier expiration at "+link+", and import it with 'slipway credential import' if its value changes.", link)
	default:
		return false
	}
	return true
}

func owner(s subject) string {
	if s.owner == "" {
		return "its organization"
	}
	return s.owner
}

// addresses finds what may be a link in GitHub's words.
var addresses = regexp.MustCompile(`https?://[^\s"'<>]+`)

func firstURL(text string) string { return web(strings.TrimRight(addresses.FindString(text), ".,)")) }

// web returns target if it is a web address that may be shown as a link.
func web(target string) string {
	u, err := url.Parse(strings.TrimSpace(target))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(target) > 1000 {
		return ""
	}
	return u.String()
}

// identity reads the refusals of tokens that are not good, or not there.
func identity(a *rest.Answer, r *source.Refusal, call rest.Call, s subject, _ string) bool {
	if a.Status != http.StatusUnauthorized {
		return false
	}
	if call.By.IsZero() {
		says(r, slipway.FailureCauseNotVisible, "Nobody sees it without logging in.",
			"Import a token with 'slipway credential import'; make one at "+page(call.At, call.By, s.owner)+".", page(call.At, call.By, s.owner))
		return true
	}
	if meaning, next, wrong := foreign(call.At, call.By); wrong {
		says(r, slipway.FailureCauseWrongKind, meaning, next, page(call.At, call.By, s.owner))
		return true
	}
	link := page(call.At, call.By, s.owner)
	meaning := "The imported token is wrong, expired or revoked"
	if call.At.Server == api.ServerTypeGithubEnterprise {
		meaning += ", or was made at another server than " + host(call.At)
	}
	says(r, slipway.FailureCauseBadToken, meaning+".", "Make a new one at "+link+" and import it with 'slipway credential import'.", link)
	return true
}

func host(at source.Site) string {
	u, err := url.Parse(at.WebBase)
	if err != nil {
		return at.WebBase
	}
	return u.Host
}

// permission reads the refusals that name a scope or permission.
func permission(a *rest.Answer, r *source.Refusal, call rest.Call, s subject, text string) bool {
	if a.Status != http.StatusForbidden && a.Status != http.StatusNotFound || call.By.IsZero() {
		return false
	}
	if strings.HasPrefix(text, "must have admin rights") || strings.HasPrefix(text, "must have push access") {
		says(r, slipway.FailureCauseNotAdmin, "The token's owner has too small a role on "+s.String()+".", "Let an administrator of "+s.String()+" give its owner a bigger role, or import a token of somebody who has it.", call.At.WebBase+"/"+s.String()+"/settings/access")
		return true
	}
	if strings.HasPrefix(text, "resource not accessible by") {
		r.Missing = permissions(a.Header)
		if r.Missing == nil {
			r.Missing = usual(s)
		}
		next, link := grant(call.At, call.By, s.owner, r.Missing)
		says(r, slipway.FailureCauseMissingScope, "The token lacks the permission "+strings.Join(r.Missing, ", ")+".", next, link)
		return true
	}
	// A classic token: GitHub names what would do, and what there is. public_repo
	// is among what would do, but not for a repository that is hidden.
	have, classic := scopes(a.Header)
	accepted := slices.DeleteFunc(split(a.Header.Get("X-Accepted-OAuth-Scopes")), func(scope string) bool { return scope == "public_repo" })
	if !classic || len(accepted) == 0 || includes(slices.DeleteFunc(slices.Clone(have), func(s string) bool { return s == "public_repo" }), accepted...) {
		return false
	}
	need := s.scope()
	if !slices.Contains(accepted, need) {
		need = accepted[0]
	}
	r.Missing = []string{rest.Clean(need, call.By.Token)}
	next, link := grant(call.At, call.By, s.owner, r.Missing)
	says(r, slipway.FailureCauseMissingScope, "GitHub hides what a token has no scope for: this takes "+r.Missing[0]+", and the token has "+listed(have)+".", next, link)
	return true
}

// unseen says what GitHub's 404 about a repository or organization means.
func unseen(name string) string {
	return "GitHub hides what a token may not see: " + name + " does not exist, or the token does not reach it."
}

func listed(scopes []string) string {
	if len(scopes) == 0 {
		return "no scopes"
	}
	return strings.Join(scopes, ", ")
}

// usual is the permission for a thing, where GitHub does not name it.
func usual(s subject) []string {
	switch {
	case s.thing == "hooks" && s.name == "":
		return []string{"Organization webhooks: write"}
	case s.thing == "hooks":
		return []string{"Webhooks: write"}
	case s.thing == "statuses":
		return []string{"Commit statuses: write"}
	case s.thing == "pulls":
		return []string{"Pull requests: read"}
	}
	return []string{"Contents: read"}
}

// hooking reads what GitHub does not like about a webhook.
func hooking(a *rest.Answer, r *source.Refusal, call rest.Call, s subject, text string) bool {
	if s.thing != "hooks" && s.thing != "admin" || a.Status != http.StatusUnprocessableEntity {
		return false
	}
	list := call.At.WebBase + "/" + s.String() + "/settings/hooks"
	if s.name == "" {
		list = call.At.WebBase + "/organizations/" + s.owner + "/settings/hooks"
	}
	switch {
	case strings.Contains(text, "already exists"):
		says(r, slipway.FailureCauseConflict, "", "The hooks there are stand at "+list+".", list)
	case strings.Contains(text, "cannot have more than"):
		says(r, slipway.FailureCauseRejected, "GitHub keeps only so many hooks for one event.", "Remove hooks that nobody needs any more at "+list+".", list)
	case strings.Contains(text, "public internet"):
		says(r, slipway.FailureCauseRejected, "GitHub must reach this server from outside.", "Start the server with --public-url and an address that GitHub reaches, or with --poll to compare refs instead.", "")
	default:
		return false
	}
	return true
}

// visibility reads a plain 404: GitHub does not tell what is hidden from what
// is not there.
func visibility(a *rest.Answer, r *source.Refusal, call rest.Call, s subject, _ string) bool {
	if a.Status != http.StatusNotFound || s.owner == "" && s.thing == "" {
		return false
	}
	meaning, next, link := unseen(s.String()), "", ""
	switch call.By.Kind {
	case slipway.TokenKindGithubFineGrained:
		link = token.GitHubFinePage(call.At.WebBase, s.owner)
		next = "The token's resource owner must be " + s.owner + ", and " + s.String() + " among the repositories selected for it. If " + s.owner +
			" has to approve tokens, it may not have done so yet. Make a token for " + s.owner + " at " + link + " and import it with 'slipway credential import'."
	case slipway.TokenKindGithubAppInstallation:
		next = "Add " + s.String() + " to the repositories of the GitHub App's installation."
	default:
		link = call.At.WebBase + "/" + s.String()
		next = "Check the spelling: if the token's owner does not see the page " + link + " either, an administrator must let him in."
	}
	says(r, slipway.FailureCauseNotVisible, meaning, next, link)
	return true
}
