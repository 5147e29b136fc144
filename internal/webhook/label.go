package webhook

import (
	"strconv"
	"strings"

	"slipway/internal/webhook/event"
)

// Label returns the label of a workflow job that asks for a runner of the named
// project: codebuild-PROJECT-RUN-ATTEMPT, perhaps with more behind it; ok is
// false if none does. What the numbers say is not looked at: they only make
// labels differ.
func Label(project string, job *event.Job) (label string, ok bool) {
	if job == nil {
		return "", false
	}
	for _, label := range job.Labels {
		rest, ok := strings.CutPrefix(label, "codebuild-"+project+"-")
		if !ok {
			continue
		}
		run, attempt, ok := strings.Cut(rest, "-")
		attempt, _, _ = strings.Cut(attempt, "-")
		if !ok || !digits(run) || !digits(attempt) {
			continue
		}
		// Of projects app and app-2 only the latter is meant by
		// codebuild-app-2-RUN-ATTEMPT.
		if id := strconv.FormatInt(job.RunID, 10); attempt == id && run != id {
			continue
		}
		return label, true
	}
	return "", false
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
