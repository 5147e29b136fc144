package receiver_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"slipway/internal/api"
)

// A documented is one thing that a payload says, by the providers' documents:
// what each type of filter is held against, found in the raw JSON. It shares
// nothing with the readers, nor with webhook.Evaluate.
type documented struct {
	event   string
	deleted bool
	values  map[string][]string // by filter type; there may be none, or ""
	unknown map[string]bool     // filter types whose values the payload does not hold
}

// field returns what is at a path of an object, nil if nothing is.
func field(in any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := in.(map[string]any)
		if !ok {
			return nil
		}
		in = object[name]
	}
	return in
}

// text returns what is at a path, as it is compared.
func text(in any, path string) string {
	switch v := field(in, path).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// paths returns every file that a payload's commits name.
func paths(commits []any) []string {
	var all []string
	for _, c := range commits {
		for _, kind := range []string{"added", "modified", "removed"} {
			list, _ := field(c, kind).([]any)
			for _, path := range list {
				all = append(all, path.(string))
			}
		}
	}
	return all
}

// tellByDocument returns what a payload says.
func tellByDocument(t *testing.T, p publishedPayload) []documented {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(p.body))
	d.UseNumber()
	var in map[string]any
	must(t, d.Decode(&in))
	switch p.server {
	case api.ServerTypeGitlab:
		return gitlabDocument(in, p.event)
	case api.ServerTypeBitbucket:
		return bitbucketDocument(in, p.event)
	}
	return githubDocument(in, p.event)
}

func githubDocument(in map[string]any, name string) []documented {
	if action := text(in, "action"); action != "" {
		name += " " + action
	}
	if merged, _ := field(in, "pull_request.merged").(bool); merged && name == "pull_request closed" {
		name = "pull_request merged"
	}
	out := documented{unknown: map[string]bool{}, event: map[string]string{
		"push": "PUSH", "pull_request opened": "PULL_REQUEST_CREATED", "pull_request synchronize": "PULL_REQUEST_UPDATED",
		"pull_request reopened": "PULL_REQUEST_REOPENED", "pull_request closed": "PULL_REQUEST_CLOSED", "pull_request merged": "PULL_REQUEST_MERGED",
		"release released": "RELEASED", "release prereleased": "PRERELEASED", "workflow_job queued": "WORKFLOW_JOB_QUEUED",
	}[name]}
	if out.event == "" {
		return nil
	}
	out.values = map[string][]string{
		"ACTOR_ACCOUNT_ID":  {text(in, "sender.id")},
		"REPOSITORY_NAME":   {text(in, "repository.name")},
		"ORGANIZATION_NAME": {text(in, "organization.login")},
	}
	switch {
	case out.event == "PUSH":
		out.deleted, _ = in["deleted"].(bool)
		out.values["HEAD_REF"] = []string{text(in, "ref")}
		out.values["COMMIT_MESSAGE"] = []string{text(in, "head_commit.message")}
		commits, _ := in["commits"].([]any)
		out.values["FILE_PATH"] = paths(commits)
	case strings.HasPrefix(out.event, "PULL"):
		out.values["HEAD_REF"] = []string{"refs/heads/" + text(in, "pull_request.head.ref")}
		out.values["BASE_REF"] = []string{"refs/heads/" + text(in, "pull_request.base.ref")}
		out.unknown["COMMIT_MESSAGE"], out.unknown["FILE_PATH"] = true, true
	case strings.HasSuffix(out.event, "RELEASED"):
		out.values["HEAD_REF"] = []string{"refs/tags/" + text(in, "release.tag_name")}
		out.values["TAG_NAME"] = []string{text(in, "release.tag_name")}
		out.values["RELEASE_NAME"] = []string{text(in, "release.name")}
	default:
		out.values["WORKFLOW_NAME"] = []string{text(in, "workflow_job.workflow_name")}
	}
	return []documented{out}
}

func bitbucketDocument(in map[string]any, name string) []documented {
	actor := []string{text(in, "actor.account_id")}
	if name == "repo:push" {
		var out []documented
		changes, _ := field(in, "push.changes").([]any)
		for _, c := range changes {
			side := "new"
			if field(c, "new") == nil {
				side = "old"
			}
			prefix := map[string]string{"branch": "refs/heads/", "tag": "refs/tags/"}[text(c, side+".type")]
			out = append(out, documented{event: "PUSH", deleted: side == "old", unknown: map[string]bool{"FILE_PATH": true}, values: map[string][]string{
				"ACTOR_ACCOUNT_ID": actor, "HEAD_REF": {prefix + text(c, side+".name")}, "COMMIT_MESSAGE": {text(c, "new.target.message")},
			}})
		}
		return out
	}
	kind := map[string]string{
		"pullrequest:created": "PULL_REQUEST_CREATED", "pullrequest:updated": "PULL_REQUEST_UPDATED",
		"pullrequest:fulfilled": "PULL_REQUEST_MERGED", "pullrequest:rejected": "PULL_REQUEST_CLOSED",
	}[name]
	if kind == "" {
		return nil
	}
	return []documented{{event: kind, unknown: map[string]bool{"FILE_PATH": true, "COMMIT_MESSAGE": true}, values: map[string][]string{
		"ACTOR_ACCOUNT_ID": actor,
		"HEAD_REF":         {"refs/heads/" + text(in, "pullrequest.source.branch.name")},
		"BASE_REF":         {"refs/heads/" + text(in, "pullrequest.destination.branch.name")},
	}}}
}

func gitlabDocument(in map[string]any, name string) []documented {
	full := text(in, "project.path_with_namespace")
	out := documented{unknown: map[string]bool{}, values: map[string][]string{"REPOSITORY_NAME": {full[strings.LastIndex(full, "/")+1:]}}}
	switch kind, action := text(in, "object_kind"), text(in, "object_attributes.action"); {
	case name == "System Hook":
		return nil
	case kind == "push" || kind == "tag_push":
		out.event, out.deleted = "PUSH", strings.Trim(text(in, "after"), "0") == ""
		out.values["ACTOR_ACCOUNT_ID"] = []string{text(in, "user_id")}
		out.values["HEAD_REF"] = []string{text(in, "ref")}
		commits, _ := in["commits"].([]any)
		out.unknown["COMMIT_MESSAGE"] = true
		for _, c := range commits {
			if text(c, "id") == text(in, "after") {
				delete(out.unknown, "COMMIT_MESSAGE")
				out.values["COMMIT_MESSAGE"] = []string{text(c, "message")}
			}
		}
		// Of what the list leaves out, an empty one included, nothing is known.
		total, _ := in["total_commits_count"].(json.Number)
		n, _ := total.Int64()
		out.unknown["FILE_PATH"] = len(commits) == 0 || int(n) != len(commits)
		out.values["FILE_PATH"] = paths(commits)
	case kind == "merge_request":
		if action == "update" && text(in, "object_attributes.oldrev") == "" {
			return nil
		}
		out.event = map[string]string{
			"open": "PULL_REQUEST_CREATED", "update": "PULL_REQUEST_UPDATED", "reopen": "PULL_REQUEST_REOPENED", "merge": "PULL_REQUEST_MERGED", "close": "PULL_REQUEST_CLOSED",
		}[action]
		out.values["ACTOR_ACCOUNT_ID"] = []string{text(in, "user.id")}
		out.values["HEAD_REF"] = []string{"refs/heads/" + text(in, "object_attributes.source_branch")}
		out.values["BASE_REF"] = []string{"refs/heads/" + text(in, "object_attributes.target_branch")}
		out.values["COMMIT_MESSAGE"] = []string{text(in, "object_attributes.last_commit.message")}
		out.unknown["FILE_PATH"] = true
	case kind == "release" && (text(in, "action") == "create" || text(in, "action") == "update"):
		out.event = "RELEASED"
		out.values["HEAD_REF"] = []string{"refs/tags/" + text(in, "tag")}
		out.values["TAG_NAME"] = []string{text(in, "tag")}
		out.values["RELEASE_NAME"] = []string{text(in, "name")}
	case kind == "build" && text(in, "build_status") == "pending":
		out.event = "WORKFLOW_JOB_QUEUED"
		out.values["ACTOR_ACCOUNT_ID"] = []string{text(in, "user.id")}
		out.values["WORKFLOW_NAME"] = []string{text(in, "commit.name")}
	}
	if out.event == "" {
		return nil
	}
	return []documented{out}
}

// outcome is what the filters of w make of it: groups are or-ed and filters
// and-ed, over what is true, false or not known yet.
func (d documented) outcome(w *api.Webhook) string {
	pushOrPull := d.event == "PUSH" || strings.HasPrefix(d.event, "PULL_REQUEST_")
	head := strings.Join(d.values["HEAD_REF"], "")
	switch {
	case d.deleted:
		return "IGNORED"
	case w.BranchFilter != nil:
		branch, ok := strings.CutPrefix(head, "refs/heads/")
		if ok && pushOrPull && regexp.MustCompile(*w.BranchFilter).MatchString(branch) {
			return "BUILD"
		}
		return "NO_MATCH"
	case w.FilterGroups == nil && pushOrPull:
		return "BUILD"
	}
	ask := map[string]bool{}
	for _, group := range w.FilterGroups {
		failed, open := false, []string(nil)
		for _, f := range group {
			exclude := f.ExcludeMatchedPattern != nil && *f.ExcludeMatchedPattern
			kind := string(f.Type)
			switch {
			case kind == "EVENT":
				named := strings.Contains(","+strings.ReplaceAll(f.Pattern, " ", "")+",", ","+d.event+",")
				failed = failed || named == exclude
			case d.unknown[kind]:
				open = append(open, kind)
			case d.values[kind] == nil && kind != "FILE_PATH", kind != "FILE_PATH" && kind != "COMMIT_MESSAGE" && kind != "RELEASE_NAME" && strings.Join(d.values[kind], "") == "":
				failed = true // what is not said matches nothing, excluding or not
			default:
				found := false
				for _, value := range d.values[kind] {
					found = found || regexp.MustCompile(f.Pattern).MatchString(value)
				}
				failed = failed || found == exclude
			}
		}
		switch {
		case failed:
		case open == nil:
			return "BUILD"
		default:
			for _, kind := range open {
				ask[kind] = true
			}
		}
	}
	switch {
	case ask["FILE_PATH"] && ask["COMMIT_MESSAGE"]:
		return "ASK files, message"
	case ask["FILE_PATH"]:
		return "ASK files"
	case ask["COMMIT_MESSAGE"]:
		return "ASK message"
	}
	return "NO_MATCH"
}
