package gitlab

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"path"
	"strings"
	"time"

	"slipway/internal/webhook/event"
)

// A number is a numeric id, "" if there is none. Some versions of GitLab write
// a few of them as strings.
type number string

var errNumber = errors.New("an id is not a number")

func (n *number) UnmarshalJSON(text []byte) error {
	digits := string(bytes.Trim(text, `"`))
	if digits == "null" || digits == "" {
		*n = ""
		return nil
	}
	if len(digits) > 19 || strings.Trim(digits, "0123456789") != "" {
		return errNumber
	}
	*n = number(digits)
	return nil
}

// kind is what every delivery says of itself.
type kind struct {
	Object string `json:"object_kind"`
	Name   string `json:"event_name"`
}

// place is what most deliveries say of where they come from.
type place struct {
	ProjectID number          `json:"project_id"`
	Project   *payloadProject `json:"project"`
	Source    repository      `json:"repository"`
}

// payloadProject is a project in a payload.
type payloadProject struct {
	ID       number `json:"id"`
	Path     string `json:"path_with_namespace"`
	CloneURL string `json:"git_http_url"`
	OldURL   string `json:"http_url"` // of versions before 8.5
	Level    *int   `json:"visibility_level"`
}

// repository is what old versions say in the place of a project.
type repository struct {
	CloneURL string `json:"git_http_url"`
	Homepage string `json:"homepage"`
}

// user is who did something.
type user struct {
	ID       number `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

type commit struct {
	ID       string   `json:"id"`
	Message  *string  `json:"message"`
	Added    []string `json:"added"`
	Modified []string `json:"modified"`
	Removed  []string `json:"removed"`
}

type push struct {
	place
	Ref          string   `json:"ref"`
	Before       string   `json:"before"`
	After        string   `json:"after"`
	Checkout     string   `json:"checkout_sha"`
	UserID       number   `json:"user_id"`
	UserName     string   `json:"user_name"`
	UserUsername string   `json:"user_username"`
	Commits      []commit `json:"commits"`
	Total        int      `json:"total_commits_count"`
}

type mergeRequest struct {
	place
	User       user       `json:"user"`
	Attributes attributes `json:"object_attributes"`
}

// attributes are a merge request's.
type attributes struct {
	IID           int64           `json:"iid"`
	Action        string          `json:"action"`
	OldRev        string          `json:"oldrev"`
	SourceBranch  string          `json:"source_branch"`
	TargetBranch  string          `json:"target_branch"`
	SourceProject number          `json:"source_project_id"`
	TargetProject number          `json:"target_project_id"`
	AuthorID      number          `json:"author_id"`
	LastCommit    commit          `json:"last_commit"`
	MergeCommit   string          `json:"merge_commit_sha"`
	SquashCommit  string          `json:"squash_commit_sha"`
	UpdatedAt     any             `json:"updated_at"`
	Source        *payloadProject `json:"source"`
}

type note struct {
	place
	User       user `json:"user"`
	Attributes struct {
		Note     string `json:"note"`
		On       string `json:"noteable_type"`
		AuthorID number `json:"author_id"`
		System   bool   `json:"system"`
		Action   string `json:"action"`
	} `json:"object_attributes"`
	MergeRequest struct {
		IID int64 `json:"iid"`
	} `json:"merge_request"`
}

type release struct {
	place
	Action     string `json:"action"`
	Name       string `json:"name"`
	Tag        string `json:"tag"`
	Commit     commit `json:"commit"`
	ReleasedAt any    `json:"released_at"`
}

type job struct {
	place
	Ref      string `json:"ref"`
	IsTag    bool   `json:"tag"`
	SHA      string `json:"sha"`
	ID       int64  `json:"build_id"`
	Name     string `json:"build_name"`
	Status   string `json:"build_status"`
	Created  any    `json:"build_created_at"`
	Pipeline int64  `json:"pipeline_id"`
	User     user   `json:"user"`
	Commit   struct {
		ID      int64   `json:"id"` // of the pipeline
		Name    string  `json:"name"`
		Message *string `json:"message"`
	} `json:"commit"`
	Runner struct {
		Tags []string `json:"tags"`
	} `json:"runner"`
}

// repository returns where a delivery comes from; zero if it does not say.
func (p place) repository() event.Repository {
	if p.Project == nil {
		old := payloadProject{ID: p.ProjectID, CloneURL: p.Source.CloneURL}
		if u, err := url.Parse(p.Source.CloneURL); err == nil {
			old.Path = strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
		}
		return old.repository()
	}
	if p.Project.ID == "" {
		p.Project.ID = p.ProjectID
	}
	return p.Project.repository()
}

// publicLevel is how visible a project is that everybody may read; fewer may
// read those below.
const publicLevel = 20

func (p payloadProject) repository() event.Repository {
	r := event.Repository{ID: string(p.ID), CloneURL: plain(p.CloneURL), Private: p.Level != nil && *p.Level < publicLevel}
	if r.CloneURL == "" {
		r.CloneURL = plain(p.OldURL)
	}
	if first, _, ok := strings.Cut(p.Path, "/"); ok && fits(p.Path) {
		r.FullName, r.Name, r.Organization = p.Path, path.Base(p.Path), first
	}
	return r
}

// plain returns a web URL without a login, "" if it is none.
func plain(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !fits(text) {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// maxName bounds names of refs, projects and people.
const maxName = 1024

// fits reports whether a name can be one: bounded, and without controls.
func fits(s string) bool {
	return len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// moment reads a time in any of the forms in which GitLab writes them.
func moment(v any) time.Time {
	text, _ := v.(string)
	for _, form := range []string{time.RFC3339, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

func decode(body []byte, v any) error {
	if err := json.Unmarshal(body, v); err != nil {
		return errors.New("the delivery is not the JSON that GitLab promises for this event")
	}
	return nil
}
