package gitlab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"slipway/internal/api/slipway"
	"slipway/internal/source"
	"slipway/internal/source/rest"
)

// deployCannot is why a deploy token does not do what is asked.
const deployCannot = "Deploy tokens cannot use the API: clone works, statuses and webhooks do not."

// words returns what GitLab itself says in an answer. It has three shapes for
// that, and says in plain text when it is overloaded.
func words(a *rest.Answer) string {
	var said struct {
		Message     any `json:"message"`
		Error       any `json:"error"`
		Description any `json:"error_description"`
	}
	if json.Unmarshal(a.Body, &said) != nil {
		if strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
			return string(a.Body[:min(len(a.Body), 2000)])
		}
		return ""
	}
	var all []string
	for _, part := range []any{said.Message, said.Error, said.Description} {
		if text := flat(part, 3); text != "" {
			all = append(all, text)
		}
	}
	return strings.TrimPrefix(strings.Join(all, ": "), fmt.Sprint(a.Status)+" ")
}

// flat writes a message that may be a list, or lists by the names of fields.
func flat(v any, depth int) string {
	var parts []string
	switch v := v.(type) {
	case string:
		return v
	case []any:
		for _, one := range v[:min(len(v), 10)] {
			if depth > 0 {
				parts = append(parts, flat(one, depth-1))
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if depth > 0 && len(parts) < 10 {
				parts = append(parts, name+" "+flat(v[name], depth-1))
			}
		}
	}
	return strings.Join(parts, ", ")
}

// explain says what GitLab's no means and what to do about it.
func explain(a *rest.Answer, r *source.Refusal, call rest.Call) {
	said := strings.ToLower(words(a))
	subject := subjectOf(call)
	switch a.Status {
	case http.StatusUnauthorized:
		unauthorized(said, r, call, subject)
	case http.StatusForbidden:
		forbidden(a, said, r, call, subject)
	case http.StatusNotFound:
		notFound(a, said, r, call, subject)
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusConflict:
		switch {
		case about(call, "hooks") && (strings.Contains(said, "url") || strings.Contains(said, "blocked")):
			r.Cause = slipway.FailureCauseRejected
			r.NextStep = "GitLab calls only addresses that it may reach: give slipway a --public-url that GitLab can resolve, or let an administrator of GitLab allow requests to the local network from webhooks (Admin area, Settings, Network, Outbound requests)."
		case about(call, "hooks") && strings.Contains(said, "maximum number"):
			r.Cause = slipway.FailureCauseRejected
			r.NextStep = "Delete webhooks of " + subject + " that nobody needs any more."
		case about(call, "statuses") && strings.Contains(said, "taken"):
			r.Cause = slipway.FailureCauseConflict
			r.NextStep = "A job of GitLab's own has this name on the commit: set another buildStatusConfig.context on the project."
		}
	}
}

func unauthorized(said string, r *source.Refusal, call rest.Call, subject string) {
	r.Cause = slipway.FailureCauseBadToken
	r.Link = tokenPage(call.At, "api")
	switch {
	case call.By.IsZero():
		r.Cause, r.Link = slipway.FailureCauseNotVisible, ""
		r.NextStep = "GitLab shows this to nobody without a token: import one with 'slipway credential import'."
	case call.By.Kind == slipway.TokenKindGitlabDeploy && !call.Git:
		r.Cause = slipway.FailureCauseWrongKind
		r.Message += " " + deployCannot
		r.NextStep = "Import a personal, project or group access token with the scope api."
	case call.By.Kind == slipway.TokenKindGitlabDeploy && call.By.Username == "":
		r.Cause, r.Link = slipway.FailureCauseWrongUsername, ""
		r.NextStep = "A deploy token goes with a user name of its own, such as gitlab+deploy-token-7, which GitLab shows with the token: import both with 'slipway credential import --username'."
	case call.By.Kind == slipway.TokenKindGitlabDeploy:
		r.Link = repositoryPage(call.At, subject, "settings/repository")
		r.NextStep = "The deploy token is wrong, expired or revoked, or its user name is another: make a new one and import both with 'slipway credential import --username'."
	case strings.Contains(said, "expired"):
		r.Cause = slipway.FailureCauseExpiredToken
		r.NextStep = "The token has expired: create a new one and import it with 'slipway credential import'."
	default:
		r.NextStep = "The token is wrong, expired or revoked, or of another GitLab than " + hostOf(call.At) + ": create a new one there and import it with 'slipway credential import'."
	}
}

func forbidden(a *rest.Answer, said string, r *source.Refusal, call rest.Call, subject string) {
	var scope struct {
		Error string `json:"error"`
		Scope string `json:"scope"`
	}
	_ = json.Unmarshal(a.Body, &scope) // it is not always JSON; then it is not about a scope
	switch {
	case scope.Error == "insufficient_scope":
		r.Cause = slipway.FailureCauseMissingScope
		r.Missing = []string{leastScope(scope.Scope, call.Method)}
		r.Link = tokenPage(call.At, r.Missing...)
		r.NextStep = "Create a token with the scope " + r.Missing[0] + " and import it with 'slipway credential import'."
	case strings.Contains(said, "blocked") || strings.Contains(said, "deactivated"):
		r.Cause = slipway.FailureCauseBadToken
		r.NextStep = "The account that the token belongs to is blocked: import a token of another account, best a project or group access token."
	case call.Git && call.By.Kind == slipway.TokenKindGitlabDeploy:
		r.Cause, r.Missing = slipway.FailureCauseMissingScope, []string{"read_repository"}
		r.Link = repositoryPage(call.At, subject, "settings/repository")
		r.NextStep = "Make a deploy token of " + subject + " with the scope read_repository."
	case call.Git:
		r.Cause, r.Missing = slipway.FailureCauseMissingScope, []string{"read_repository"}
		r.Link = tokenPage(call.At, "read_repository")
		r.NextStep = "To clone " + subject + " a token needs the scope read_repository (api includes it), and its owner the role Reporter or more."
	case about(call, "groups"):
		r.Cause = slipway.FailureCauseNotAdmin
		r.Link = call.At.WebBase + "/groups/" + subject + "/-/group_members"
		r.NextStep = "Webhooks of a group need the role Owner on " + subject + ", and a GitLab with group webhooks (Premium)."
	case about(call, "hooks"):
		r.Cause = slipway.FailureCauseNotAdmin
		r.Link = repositoryPage(call.At, subject, "project_members")
		r.NextStep = "Webhooks need the role Maintainer: let a Maintainer of " + subject + " give it to the token's owner."
	case about(call, "statuses"):
		r.Cause = slipway.FailureCauseNotAdmin
		r.Link = repositoryPage(call.At, subject, "project_members")
		r.NextStep = "Commit statuses need the role Developer: let a Maintainer of " + subject + " give it to the token's owner."
	case subject != "":
		r.Cause = slipway.FailureCauseNotAdmin
		r.Link = repositoryPage(call.At, subject, "project_members")
		r.NextStep = "Reading code needs the role Reporter: let a Maintainer of " + subject + " give it to the token's owner. If the group allows certain IP addresses only, that of this machine must be among them."
	}
}

func notFound(a *rest.Answer, said string, r *source.Refusal, call rest.Call, subject string) {
	switch {
	case strings.Contains(said, "commit") || strings.Contains(said, "ref not found") || strings.Contains(said, "references"):
		r.Cause = slipway.FailureCauseRejected
		r.NextStep = "Check that the branch, tag or commit is in " + subject + "."
	case bytes.Contains(a.Body, []byte(`"error":"404 Not Found"`)): // what is said of an address that is none of the API's
		r.Cause = slipway.FailureCauseProviderError
		r.NextStep = "This GitLab does not know the call: check that the address is right, the path before /api/v4 included, and that it is not older than GitLab 15.5."
	case about(call, "groups"):
		r.NextStep = "Check the name of the group " + subject + ", and that the token's owner is one of its Owners."
	case subject != "" && call.By.IsZero():
		r.NextStep = "Check the spelling of " + subject + "; if it is private, import a token with 'slipway credential import'."
	case subject != "":
		r.Link = repositoryPage(call.At, subject, "project_members")
		r.NextStep = "GitLab hides what a token may not see: check the spelling of " + subject + ", that the token's owner is a member of it, and, if the group allows certain IP addresses only, that this machine's is among them."
	}
}

// leastScope picks the smallest of the scopes that GitLab names as enough.
func leastScope(enough, method string) string {
	all := strings.Fields(enough)
	for _, small := range []string{"read_user", "read_api"} {
		if slices.Contains(all, small) && (method == "" || method == http.MethodGet) {
			return small
		}
	}
	if len(all) == 1 {
		return rest.Cut(all[0], 40)
	}
	return "api"
}

// about reports whether a call's address has this element.
func about(call rest.Call, element string) bool {
	u, err := url.Parse(call.URL)
	return err == nil && slices.Contains(strings.Split(u.EscapedPath(), "/"), element)
}

// subjectOf returns the project or group that a call is about, or "".
func subjectOf(call rest.Call) string {
	if call.Git {
		path, _, _ := strings.Cut(strings.TrimPrefix(call.URL, call.At.WebBase+"/"), ".git/info/refs")
		return path
	}
	rest, ok := strings.CutPrefix(call.URL, call.At.APIBase+"/projects/")
	if !ok {
		rest, ok = strings.CutPrefix(call.URL, call.At.APIBase+"/groups/")
	}
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	name, _, _ = strings.Cut(name, "?")
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}

func hostOf(at source.Site) string {
	if u, err := url.Parse(at.WebBase); err == nil {
		return u.Host
	}
	return ""
}

// repositoryPage is a web page of a project.
func repositoryPage(at source.Site, fullName, page string) string {
	if fullName == "" {
		return ""
	}
	return at.WebBase + "/" + fullName + "/-/" + page
}
