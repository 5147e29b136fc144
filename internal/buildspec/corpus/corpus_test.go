package corpus

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/api"
)

func TestACaseSaysWhatItExpects(t *testing.T) {
	got, err := parse("a", `# One line
# and another.
#
# expect: FAILED DOWNLOAD_SOURCE "A Code" text: with a colon
# batch: CODE why not
# needs: bash
# needs: secret a/b={"c": 1}
# phases: DOWNLOAD_SOURCE:FAILED COMPLETED
# exports: A=b c=d
# artifact: x.txt
# artifact docs: y.txt
# artifact docs: z.txt
# report: unit
# log: l: m
# silent: s
# warns: 12 beginning: of it
version: 0.2
# log: not this
`)
	want := Case{
		Name: "a", About: "One line and another.", Text: got.Text,
		Status: api.StatusTypeFailed, Phase: api.BuildPhaseTypeDownloadSource, Code: "A Code", Message: "text: with a colon",
		Batch: true, BatchCode: "CODE", BatchMessage: "why not",
		Needs: []Need{{"bash", ""}, {"secret", `a/b={"c": 1}`}}, Phases: []string{"DOWNLOAD_SOURCE:FAILED", "COMPLETED"},
		Exports: []Variable{{"A", "b c=d"}}, Artifacts: map[string][]string{"": {"x.txt"}, "docs": {"y.txt", "z.txt"}},
		Reports: []string{"unit"}, Log: []string{"l: m"}, Silent: []string{"s"}, Warnings: []Warning{{12, "beginning: of it"}},
	}
	if err != nil || !strings.HasSuffix(got.Text, "# log: not this\n") {
		t.Fatalf("parse = %+v, %v", got, err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := strings.Join(got.Unmet("bash", "dash"), " "); got != "secret" {
		t.Errorf("unmet is %q", got)
	}
}

func TestACaseThatSaysItWrongIsRefused(t *testing.T) {
	for head, want := range map[string]string{
		"#\nversion: 0.2\n":                             "a.yml expects nothing",
		"# b\n#\n# expect: SUCCEEDED\n":                 "a.yml has no buildspec",
		"#\n# expected: SUCCEEDED\nversion: 0.2\n":      `a.yml:2: unknown key "expected"`,
		"#\n# expect docs: SUCCEEDED\nversion: 0.2\n":   `a.yml:2: unknown key "expect docs"`,
		"#\n# expect: WELL\nversion: 0.2\n":             `a.yml:2: "WELL" is no end of a build`,
		"#\n# expect: FAILED BUILD\nversion: 0.2\n":     `a.yml:2: "FAILED BUILD" is no end of a build`,
		"#\n# warns: here\nversion: 0.2\n":              `a.yml:2: "here" is no line and text`,
		"#\n# exports: A\nversion: 0.2\n":               `a.yml:2: "A" has no value`,
		"#\n# just words\n# expect: SUCCEEDED\nversion": `a.yml:2: "just words" is not of the form 'key: value'`,
	} {
		if _, err := parse("a", head); err == nil || err.Error() != want {
			t.Errorf("of %q there is %v, want %s", head, err, want)
		}
	}
}

func TestTheCorpusHasAllSituations(t *testing.T) {
	if all := Load(t); len(all) < 63 {
		t.Errorf("%d cases", len(all))
	}
}
