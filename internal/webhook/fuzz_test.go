package webhook_test

import (
	"strings"
	"testing"

	"slipway/internal/webhook"
	"slipway/internal/webhook/event"
)

// FuzzApproved holds that a comment approves nothing but a whole commit id that
// stands in it behind the command, on a line of its own.
func FuzzApproved(f *testing.F) {
	for _, seed := range []string{"/codebuild_run(" + sha + ")", "a\r\n/codebuild_run( " + sha + " )\r\nb", "> /codebuild_run(" + sha + ")", "/codebuild_run(", "/codebuild_run()"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, comment string) {
		commit, asked := webhook.Approved(comment)
		if commit == "" {
			return
		}
		if !asked || !webhook.WholeID(commit) {
			t.Fatalf("Approved(%q) = %q, %t", comment, commit, asked)
		}
		for line := range strings.Lines(comment) {
			line = strings.TrimSpace(line)
			inside, ok := strings.CutPrefix(line, "/codebuild_run(")
			if inside, closed := strings.CutSuffix(inside, ")"); ok && closed && strings.EqualFold(strings.TrimSpace(inside), commit) {
				return
			}
		}
		t.Fatalf("Approved(%q) = %q, which no line says", comment, commit)
	})
}

// FuzzLabel holds that a label names one project only: the longest that fits
// the run.
func FuzzLabel(f *testing.F) {
	f.Add("codebuild-app-12-1", "app", int64(12))
	f.Add("codebuild-app-2-12-1", "app", int64(12))
	f.Fuzz(func(t *testing.T, label, project string, run int64) {
		got, ok := webhook.Label(project, &event.Job{RunID: run, Labels: []string{"x", label}})
		if ok && (got != label || !strings.HasPrefix(label, "codebuild-"+project+"-")) || !ok && got != "" {
			t.Errorf("Label = %q, %t", got, ok)
		}
	})
}

// FuzzParseDelivery holds that what is read as a delivery's name is written so.
func FuzzParseDelivery(f *testing.F) {
	f.Add("d-1")
	f.Add("d-0012")
	f.Add("d--1")
	f.Fuzz(func(t *testing.T, name string) {
		sequence, ok := webhook.ParseDelivery(name)
		if !ok {
			return
		}
		if again, ok := webhook.ParseDelivery(webhook.DeliveryName(sequence)); sequence <= 0 || !ok || again != sequence {
			t.Errorf("ParseDelivery(%q) = %d", name, sequence)
		}
	})
}
