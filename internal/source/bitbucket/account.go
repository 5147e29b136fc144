package bitbucket

import (
	"cmp"
	"strings"

	"slipway/internal/source"
	"slipway/internal/webhook/event"
)

// An account is a user, or an access token's own bot, which has no account id.
type account struct {
	Type        string `json:"type"`
	AccountID   string `json:"account_id"`
	UUID        string `json:"uuid"`
	DisplayName string `json:"display_name"`
	Nickname    string `json:"nickname"`
}

// ID returns what CodeBuild calls the actor's account id.
func (a account) ID() string { return cmp.Or(a.AccountID, a.UUID) }

func (a account) name() string { return cmp.Or(a.DisplayName, a.Nickname, a.ID()) }

// A repository as it appears in deliveries and other answers.
type repository struct {
	UUID     string `json:"uuid"`
	FullName string `json:"full_name"`
	Private  bool   `json:"is_private"`
	Main     struct {
		Name string `json:"name"`
	} `json:"mainbranch"`
	Links struct {
		HTML struct {
			Href string `json:"href"`
		} `json:"html"`
	} `json:"links"`
}

// event returns the repository in CodeBuild's words, at the place that its
// page says, or else at bitbucket.org.
func (r repository) event() event.Repository {
	if r.FullName == "" {
		return event.Repository{ID: r.UUID}
	}
	base := "https://bitbucket.org"
	if b, ok := strings.CutSuffix(r.Links.HTML.Href, "/"+r.FullName); ok && plainBase(b) {
		base = b
	}
	return r.at(base)
}

// at returns the repository in CodeBuild's words at a site's web address.
func (r repository) at(base string) event.Repository {
	owner, _, _ := strings.Cut(r.FullName, "/")
	return event.Repository{
		ID: r.UUID, FullName: r.FullName, Name: r.FullName[strings.LastIndexByte(r.FullName, '/')+1:], Organization: owner,
		CloneURL: base + "/" + r.FullName + ".git", Private: r.Private,
	}
}

// plainBase reports whether text is scheme and host and nothing else; the API's
// own host serves no git.
func plainBase(text string) bool {
	_, host, ok := strings.Cut(text, "://")
	return ok && (strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")) && host != "" && host != "api.bitbucket.org" && !strings.ContainsAny(host, "/?#@\\ ")
}

// A pullRequest as deliveries and the API have it. Its commits are twelve
// characters long.
type pullRequest struct {
	ID          int64   `json:"id"`
	Author      account `json:"author"`
	Source      side    `json:"source"`
	Destination side    `json:"destination"`
	Merge       *commit `json:"merge_commit"`
	Updated     string  `json:"updated_on"`
}

type side struct {
	Branch struct {
		Name string `json:"name"`
	} `json:"branch"`
	Commit     *commit     `json:"commit"`
	Repository *repository `json:"repository"` // null if it is gone
}

type commit struct {
	Hash    string  `json:"hash"`
	Message *string `json:"message"`
}

func (c *commit) id() string {
	if c == nil || !hash.MatchString(c.Hash) {
		return ""
	}
	return c.Hash
}

// event returns the pull request as an event of a type. base is its
// destination; place says where a repository is.
func (pr pullRequest) event(t event.Type, actor account, base repository, place func(repository) event.Repository) event.Event {
	e := event.Event{
		Type: t, ActorID: actor.ID(), ActorName: actor.name(), HeadRef: fullRef(pr.Source.Branch.Name), BaseRef: fullRef(pr.Destination.Branch.Name),
		Commit: pr.Source.Commit.id(), Merge: pr.Merge.id(), At: when(pr.Updated),
		PullRequest: &event.PullRequest{Number: pr.ID, AuthorID: pr.Author.ID(), AuthorName: pr.Author.ID(), Fork: true},
	}
	if pr.Destination.Repository != nil {
		base = *pr.Destination.Repository
	}
	if head := pr.Source.Repository; head != nil { // else a fork that is gone: nobody can delete the other repository and keep the pull request
		e.PullRequest.Fork = head.UUID == "" || head.UUID != base.UUID
		e.PullRequest.Head = place(*head)
	}
	return e
}

func fullRef(branch string) string {
	if branch == "" {
		return ""
	}
	return "refs/heads/" + branch
}

// placed returns where a site's repositories are.
func placed(at source.Site) func(repository) event.Repository {
	return func(r repository) event.Repository {
		if r.FullName == "" {
			return event.Repository{ID: r.UUID}
		}
		return r.at(at.WebBase)
	}
}
