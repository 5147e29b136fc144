package sourcetest

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Status is one commit status as it was sent.
type Status struct {
	ID          int       `json:"id"`
	State       string    `json:"state"`
	Context     string    `json:"context"`
	Description string    `json:"description"`
	TargetURL   string    `json:"target_url"`
	Creator     string    `json:"-"`
	Name        string    `json:"-"` // Bitbucket: what people see, while Context is the key
	Ref         string    `json:"-"` // the branch that it is shown on, where the provider asks for it
	Created     time.Time `json:"created_at"`
}

// Statuses returns every status set on a commit, oldest first.
func (s *Server) Statuses(owner, name, commit string) []Status {
	repo, err := s.repository(owner, name)
	if err != nil {
		return nil
	}
	repo.mu.Lock()
	defer repo.mu.Unlock()
	return slices.Clone(repo.statuses[commit])
}

// GitHub's limits.
const (
	maxDescription = 140
	maxStatuses    = 1000 // of one context on one commit
	maxBody        = 1 << 20
)

const statusPage = "/rest/commits/statuses#create-a-commit-status"

func (c *call) createStatus() {
	c.want("repo, repo:status", "statuses=write")
	repo := c.find(func(r *repository) bool { return c.mayUseStatuses(r, "write") })
	if repo == nil {
		return
	}
	var in struct {
		State       *string `json:"state"`
		Context     string  `json:"context"`
		Description string  `json:"description"`
		TargetURL   string  `json:"target_url"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil || json.Unmarshal(body, &in) != nil {
		c.refuse(http.StatusBadRequest, "Problems parsing JSON", statusPage)
		return
	}
	if in.State == nil {
		c.invalid("state", "missing_field", "")
		return
	}
	sha := c.r.PathValue("sha")
	if _, ok := c.resolve(repo, sha); !ok || !shaForm.MatchString(sha) {
		c.refuse(http.StatusUnprocessableEntity, "No commit found for SHA: "+sha, statusPage)
		return
	}
	switch {
	case !slices.Contains([]string{"error", "failure", "pending", "success"}, *in.State):
		c.invalid("state", "custom", "state is not included in the list")
		return
	case utf8.RuneCountInString(in.Description) > maxDescription:
		c.invalid("description", "custom", "description is too long (maximum is 140 characters)")
		return
	case in.TargetURL != "" && !strings.HasPrefix(in.TargetURL, "http://") && !strings.HasPrefix(in.TargetURL, "https://"):
		c.invalid("target_url", "custom", "target_url must use http(s) scheme")
		return
	}
	status := Status{
		State: *in.State, Context: cmp.Or(in.Context, "default"), Description: in.Description, TargetURL: in.TargetURL,
		Creator: c.token.Login, Created: c.now().UTC().Truncate(time.Second),
	}
	if !repo.add(sha, &status) {
		c.refuse(http.StatusUnprocessableEntity, "Validation Failed", statusPage,
			problem{Resource: "Status", Code: "custom", Field: "context", Message: "This SHA and context has reached the maximum number of statuses."})
		return
	}
	c.answer(http.StatusCreated, c.shape(status, repo, sha))
}

func (c *call) invalid(field, code, message string) {
	c.refuse(http.StatusUnprocessableEntity, "Validation Failed", statusPage, problem{Resource: "Status", Code: code, Field: field, Message: message})
}

// add keeps a status and gives it a number, unless its context has too many.
func (r *repository) add(sha string, status *Status) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := 0
	for _, old := range r.statuses[sha] {
		if strings.EqualFold(old.Context, status.Context) {
			same++
		}
	}
	if same >= maxStatuses {
		return false
	}
	for _, all := range r.statuses {
		status.ID += len(all)
	}
	status.ID++
	r.statuses[sha] = append(r.statuses[sha], *status)
	return true
}

// shapedStatus is a status as it is answered.
type shapedStatus struct {
	Status
	NodeID    string    `json:"node_id"`
	URL       string    `json:"url"`
	AvatarURL string    `json:"avatar_url"`
	Creator   account   `json:"creator"`
	Updated   time.Time `json:"updated_at"`
}

func (c *call) shape(status Status, repo *repository, sha string) shapedStatus {
	creator := c.account(status.Creator)
	return shapedStatus{
		Status: status, NodeID: "SC_" + strconv.Itoa(status.ID), URL: c.base + "/repos/" + repo.fullName() + "/statuses/" + sha,
		AvatarURL: creator.AvatarURL, Creator: creator, Updated: status.Created,
	}
}

func (c *call) listStatuses(ref string) {
	c.want("repo, repo:status", "statuses=read")
	repo := c.find(func(r *repository) bool { return c.mayUseStatuses(r, "read") })
	if repo == nil {
		return
	}
	sha, ok := c.resolveAny(repo, ref)
	if !ok {
		c.refuse(http.StatusUnprocessableEntity, "No commit found for SHA: "+ref, "/rest/commits/statuses")
		return
	}
	list := []shapedStatus{} // newest first, as GitHub
	for _, status := range slices.Backward(c.Statuses(repo.owner, repo.name, sha)) {
		list = append(list, c.shape(status, repo, sha))
	}
	c.answer(http.StatusOK, list)
}
