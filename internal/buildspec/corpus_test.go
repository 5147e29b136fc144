package buildspec_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/buildspec"
	"slipway/internal/buildspec/corpus"
)

func corpusTexts(t testing.TB) (all [][]byte) {
	for _, c := range corpus.Load(t) {
		all = append(all, []byte(c.Text))
	}
	return all
}

// parses reports whether Parse takes a case: unknown runtimes are not its affair.
func parses(c corpus.Case) bool {
	return c.Code != "YAML_FILE_ERROR" || strings.HasPrefix(c.Message, "Unknown runtime version")
}

func TestParseAcceptsAndRefusesTheCorpus(t *testing.T) {
	for _, c := range corpus.Load(t) {
		t.Run(c.Name, func(t *testing.T) {
			s, err := buildspec.Parse([]byte(c.Text))
			if parses(c) {
				if err != nil {
					t.Fatalf("Parse = %v", err)
				}
			} else if err == nil || err.Error() != c.Message || c.Phase != api.BuildPhaseTypeDownloadSource {
				t.Errorf("Parse = %v, want %s", err, c.Message)
			}
			b, err := buildspec.ParseBatch([]byte(c.Text))
			switch e, _ := errors.AsType[*buildspec.Error](err); {
			case c.Batch && c.BatchCode == "":
				if err != nil || s.Batch == nil {
					t.Errorf("ParseBatch = %+v, %v", b, err)
				}
			case c.Batch:
				if e == nil || e.Code() != c.BatchCode || !strings.Contains(e.Message, c.BatchMessage) || s.Batch != nil {
					t.Errorf("ParseBatch = %+v, want %s %s", err, c.BatchCode, c.BatchMessage)
				}
			case err == nil:
				t.Errorf("ParseBatch = %+v, but there is no batch block", b)
			}
		})
	}
}

func TestLintWarnsOfTheCorpusWhatItSays(t *testing.T) {
	for _, c := range corpus.Load(t) {
		t.Run(c.Name, func(t *testing.T) {
			missing := slices.Clone(c.Warnings)
			for _, f := range buildspec.Lint([]byte(c.Text)) {
				if f.Level == buildspec.Bad {
					if parses(c) {
						t.Errorf("line %d is an error: %s", f.Line, f.Message)
					}
					continue
				}
				i := slices.IndexFunc(missing, func(w corpus.Warning) bool { return w.Line == f.Line && strings.HasPrefix(f.Message, w.Text) })
				if i < 0 {
					t.Errorf("a finding that is not expected: %d %s", f.Line, f.Message)
					continue
				}
				missing = slices.Delete(missing, i, i+1)
			}
			for _, w := range missing {
				t.Errorf("no finding in line %d that begins %q", w.Line, w.Text)
			}
		})
	}
}
