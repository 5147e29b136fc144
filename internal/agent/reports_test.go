package agent_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/agentapi"
	"slipway/internal/api"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// A shelf keeps reports, and their files by report and path.
type shelf struct {
	agentapi.Backend // for what no test asks of it

	export  map[string]*api.S3ReportExportConfig // by group
	refuses string                               // a group

	mu      sync.Mutex // guards what follows
	reports []agentapi.ReportUpload
	files   map[string]string
}

func (s *shelf) PutReport(_ context.Context, id string, got secret.Text, in agentapi.ReportUpload) (*agentapi.ReportStored, error) {
	if id != buildID || got.Reveal() != token {
		return nil, fault.New(fault.Denied, "bad token")
	}
	if in.Group == s.refuses && s.refuses != "" {
		return nil, fault.New(fault.Invalid, "the report group %s is full", in.Group)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, in)
	out := &agentapi.ReportStored{ARN: "arn:of:" + in.Group}
	if d := s.export[in.Group]; d != nil {
		out.Export = &api.ReportExportConfig{ExportConfigType: api.ReportExportConfigTypeS3, S3Destination: d}
	}
	return out, nil
}

func (s *shelf) Put(_ context.Context, _ string, _ secret.Text, o agentapi.Object, body io.Reader) (agentapi.ObjectInfo, error) {
	if o.Kind != agentapi.ReportObject {
		return agentapi.ObjectInfo{}, fault.New(fault.Invalid, "only reports")
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return agentapi.ObjectInfo{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string]string{}
	}
	s.files[o.Identifier+"/"+o.Path] = string(text)
	return agentapi.ObjectInfo{Location: strings.TrimSuffix("arn:aws:s3:::reports/"+o.Identifier+"/"+o.Path, "/")}, nil
}

// keeping gives the server a shelf.
func keeping(s *shelf) func(*agentProcess) { return func(a *agentProcess) { a.server.Backend = s } }

// told returns a report in a few words.
func told(r agentapi.ReportUpload) string {
	text := fmt.Sprintf("%d %s %s %s", r.Number, r.Group, r.Type, r.Status)
	if r.Discovered {
		text += " discovered"
	}
	if s := r.TestSummary; s != nil {
		text += fmt.Sprintf(" %d tests, %d failed", s.Total, s.StatusCounts["FAILED"])
	}
	if s := r.CoverageSummary; s != nil {
		text += fmt.Sprintf(" %d/%d lines", *s.LinesCovered, *s.LinesMissed)
	}
	for _, c := range r.Cases {
		text += " " + *c.Name + "@" + *c.TestRawDataPath
	}
	for _, c := range r.Coverages {
		text += " " + *c.FilePath
	}
	return text
}

func (s *shelf) told() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.reports {
		all = append(all, told(r))
	}
	return all
}

const (
	junitText     = `<testsuite name="s"><testcase name="a" classname="C" time="0.1"/><testcase name="b" classname="C"><failure message="no">stack</failure></testcase></testsuite>`
	coberturaText = `<coverage line-rate="1"><packages><package><classes><class filename="m.py"><lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>`
	nunit3Text    = `<test-run><test-suite><test-case name="n" result="Passed"/></test-suite></test-run>`
)

// spec returns a buildspec that writes files and reports on them.
func reportSpec(files map[string]string, more string, reports string) agentapi.Work {
	var b strings.Builder
	b.WriteString("version: 0.2\nphases:\n  build:\n    commands:\n")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "      - mkdir -p \"$(dirname '%s')\" && cat > '%s' <<'END'\n        %s\n        END\n", name, name, files[name])
	}
	// A block scalar keeps the here-document's lines.
	text := strings.NewReplacer("      - mkdir", "      - |-\n        mkdir").Replace(b.String())
	return inline(text + more + reports)
}

func TestReportsAreMadeOfWhatABuildWrote(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		s := &shelf{}
		work := reportSpec(map[string]string{"out/j/TEST-a.xml": junitText, "out/j/a.txt": "Tests run: 2", "cov/c.xml": coberturaText},
			"      - export GROUP=e2e DIR=out\n      - exit 3\n",
			"reports:\n  $GROUP:\n    files: ['**/*']\n    base-directory: $DIR/j\n  cover:\n    files: cov/*.xml\n    file-format: CoberturaXML\n")
		a, log := run(t, box, work, keeping(s))
		if d := cmp.Diff([]string{"0 e2e TEST SUCCEEDED 2 tests, 1 failed b@TEST-a.xml a@TEST-a.xml", "1 cover CODE_COVERAGE SUCCEEDED 1/1 lines m.py"}, s.told()); d != "" {
			t.Errorf("%s; the log:\n%s", d, log)
		}
		if code, message := a.context(api.BuildPhaseTypeUploadArtifacts); code != "" || message != "" {
			t.Errorf("the upload ended with %s: %s", code, message)
		}
		for _, want := range []string{
			" Expanding base directory path: out/j\n", " Expanding file paths for base directory out/j\n", " Expanding **/*\n", " Found 2 file(s)\n",
			"/out/j/a.txt: expected element type <testsuite> but the file is no XML\n", " Report e2e: 2 test case(s), 1 SUCCEEDED, 1 FAILED\n",
			" Report cover: 1 of 2 lines (50%) and no branches in 1 source file(s)\n",
			" Set report auto-discover timeout to 5 seconds\n", " Expanding base directory path:  .\n", " No matching auto-discover report paths found\n",
		} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
		if got := a.status(); got != api.StatusTypeFailed { // of the command, not of the test
			t.Errorf("status = %s", got)
		}
	})
}

func TestFailedTestsFailNoBuild(t *testing.T) {
	s := &shelf{}
	a, log := run(t, agentapi.Sandbox{}, reportSpec(map[string]string{"j.xml": junitText}, "", "reports:\n  unit:\n    files: [j.xml]\n"), keeping(s))
	if got := a.status(); got != api.StatusTypeSucceeded || len(s.told()) != 1 {
		t.Errorf("status = %s, reports = %v; the log:\n%s", got, s.told(), log)
	}
}

func TestReportsThatCannotBeMadeAreIncomplete(t *testing.T) {
	for name, c := range map[string]struct {
		files    map[string]string
		reports  string
		want     []string // of the shelf
		message  string   // of the phase, its paths cut out
		contains string   // in the log
	}{
		"a wrong path": {
			nil, "  unit:\n    files: [nothing.xml]\n", []string{"0 unit TEST INCOMPLETE"},
			"Error in UPLOAD_ARTIFACTS phase: [unit: [report files not found in build]]", " Skipping invalid file path nothing.xml\n",
		},
		"a wrong base directory": {
			nil, "  unit:\n    files: ['*']\n    base-directory: nowhere\n", []string{"0 unit TEST INCOMPLETE"},
			"Error in UPLOAD_ARTIFACTS phase: [unit: [no matching base directory path found for nowhere]]", " Report unit is INCOMPLETE: ",
		},
		"a wrong format": {
			map[string]string{"r.xml": nunit3Text}, "  unit:\n    files: ['r.xml']\n", []string{"0 unit TEST INCOMPLETE"},
			"Error in UPLOAD_ARTIFACTS phase: [unit: [error processing report: [r.xml: expected element type <testsuite> but have <test-run>]: files of the report group unit are NUNIT3XML, but file-format says JUNITXML]]", "",
		},
		"a file that breaks off, beside a good one": {
			map[string]string{"a.xml": junitText, "b.xml": junitText[:100]}, "  unit:\n    files: ['*.xml']\n", []string{"0 unit TEST INCOMPLETE 3 tests, 1 failed b@a.xml a@a.xml a@b.xml"},
			"Error in UPLOAD_ARTIFACTS phase: [unit: [error processing report: [b.xml: the file breaks off in line 2: the tool that wrote it was ended, or is still writing]]]", "",
		},
		"a format that nobody knows": {
			map[string]string{"a.xml": junitText}, "  unit:\n    files: ['*.xml']\n    file-format: XUNIT\n", nil,
			`Error in UPLOAD_ARTIFACTS phase: [unit: ["XUNIT" is no file-format: those of tests are CUCUMBERJSON, JUNITXML, NUNITXML, NUNIT3XML, TESTNGXML and VISUALSTUDIOTRX, those of coverage CLOVERXML, COBERTURAXML, JACOCOXML and SIMPLECOV]]`, "",
		},
		"a group that is refused, and one that is not": {
			map[string]string{"a.xml": junitText}, "  full:\n    files: ['*.xml']\n  unit:\n    files: ['*.xml']\n", []string{"1 unit TEST SUCCEEDED 2 tests, 1 failed b@a.xml a@a.xml"},
			"Error in UPLOAD_ARTIFACTS phase: [full: [the report group full is full]]", "",
		},
		"two that fail": {
			nil, "  one:\n    files: [a]\n  two:\n    files: [b]\n", []string{"0 one TEST INCOMPLETE", "1 two TEST INCOMPLETE"},
			"Error in UPLOAD_ARTIFACTS phase: [one: [report files not found in build] two: [report files not found in build]]", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{refuses: "full"}
			work := reportSpec(c.files, "      - 'true'\n", "env: {variables: {CODEBUILD_CONFIG_AUTO_DISCOVER: 'false'}}\nreports:\n"+c.reports)
			a, log := run(t, agentapi.Sandbox{}, work, keeping(s))
			if d := cmp.Diff(c.want, s.told()); d != "" {
				t.Error(d)
			}
			code, message := a.context(api.BuildPhaseTypeUploadArtifacts)
			message = pathsOf(message)
			if code != "CLIENT_ERROR" || message != c.message || a.status() != api.StatusTypeFailed {
				t.Errorf("the upload ended with %s:\n%s\nwant\n%s", code, message, c.message)
			}
			if !strings.Contains(log, c.contains) || strings.Contains(log, "auto-discover") {
				t.Errorf("the log lacks %q, or speaks of discovery:\n%s", c.contains, log)
			}
		})
	}
}

// pathsOf returns a message with absolute paths cut to their last names.
func pathsOf(message string) string {
	words := strings.Split(message, "[")
	for i, w := range words {
		if rest, ok := strings.CutPrefix(w, "/"); ok {
			path, after, _ := strings.Cut(rest, ": ")
			words[i] = path[strings.LastIndex(path, "/")+1:] + ": " + after
		}
	}
	return strings.Join(words, "[")
}

func TestResultsThatNobodyNamedAreFound(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		s := &shelf{}
		work := reportSpec(map[string]string{
			"deep/er/[x]/j.xml": junitText, "deep/j2.xml": junitText, "deep/named.xml": junitText, "c.xml": coberturaText, "broken.xml": nunit3Text[:40], "pom.xml": "<project/>", "package.json": `{"name": "x"}`,
		}, "      - touch -d '2 days ago' c.xml && ln -s deep/j2.xml link.xml && mkfifo pipe.xml\n", "reports:\n  unit:\n    files: [deep/named.xml]\n")
		a, log := run(t, box, work, keeping(s))
		want := []string{
			"0 unit TEST SUCCEEDED 2 tests, 1 failed b@deep/named.xml a@deep/named.xml",
			"5 JUNITXML-AutoDiscovered TEST SUCCEEDED discovered 4 tests, 2 failed b@deep/er/[x]/j.xml b@deep/j2.xml a@deep/er/[x]/j.xml a@deep/j2.xml",
		}
		got := s.told()
		if len(got) == 2 { // the order of directories is the walk's affair
			got[1] = strings.NewReplacer("b@deep/j2.xml b@deep/er/[x]/j.xml a@deep/j2.xml a@deep/er/[x]/j.xml", "b@deep/er/[x]/j.xml b@deep/j2.xml a@deep/er/[x]/j.xml a@deep/j2.xml").Replace(got[1])
		}
		if d := cmp.Diff(want, got); d != "" || a.status() != api.StatusTypeSucceeded {
			t.Errorf("%s; status %s; the log:\n%s", d, a.status(), log)
		}
		for _, want := range []string{" Found 3 file(s)\n", " Report auto-discover file discovery took 0.", "/broken.xml: the file breaks off in line 2", " Report JUNITXML-AutoDiscovered: 4 test case(s), 2 SUCCEEDED, 2 FAILED\n"} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
	})
}

func TestCommandsSayWhereResultsAreLookedFor(t *testing.T) {
	for name, c := range map[string]struct {
		command string
		want    []string
	}{
		"off":          {"export CODEBUILD_CONFIG_AUTO_DISCOVER=False", nil},
		"on":           {"export CODEBUILD_CONFIG_AUTO_DISCOVER=true", []string{"5 JUNITXML-AutoDiscovered TEST SUCCEEDED discovered 4 tests, 2 failed b@a/j.xml b@b/j.xml a@a/j.xml a@b/j.xml"}},
		"in one place": {"export CODEBUILD_CONFIG_AUTO_DISCOVER_DIR='a/*xml'", []string{"5 JUNITXML-AutoDiscovered TEST SUCCEEDED discovered 2 tests, 1 failed b@a/j.xml a@a/j.xml"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{}
			work := reportSpec(map[string]string{"a/j.xml": junitText, "b/j.xml": junitText}, "      - "+c.command+"\n", "")
			_, log := run(t, agentapi.Sandbox{}, work, keeping(s))
			if d := cmp.Diff(c.want, s.told()); d != "" {
				t.Errorf("%s; the log:\n%s", d, log)
			}
		})
	}
}

func TestRawFilesAreExported(t *testing.T) {
	inBoth(t, func(t *testing.T, box agentapi.Sandbox) {
		s := &shelf{export: map[string]*api.S3ReportExportConfig{
			"tree": {}, "flat": {}, "zip": {Packaging: api.ReportPackagingTypeZip}, "JUNITXML-AutoDiscovered": {}, "missing": {},
		}}
		work := reportSpec(map[string]string{"r/a/1.xml": junitText, "r/b/2.xml": junitText, "other[1].xml": junitText}, "",
			"reports:\n  tree: &r\n    files: ['**/*.xml']\n    base-directory: r\n  flat:\n    <<: *r\n    discard-paths: yes\n  zip:\n    <<: *r\n  missing:\n    files: [none]\n")
		_, log := run(t, box, work, keeping(s))
		var packed []string
		if text, ok := s.files["arn:of:zip/"]; ok {
			z, err := zip.NewReader(bytes.NewReader([]byte(text)), int64(len(text)))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range z.File {
				packed = append(packed, f.Name)
			}
		}
		delete(s.files, "arn:of:zip/")
		got := slices.Sorted(maps.Keys(s.files))
		if d := cmp.Diff([]string{"arn:of:JUNITXML-AutoDiscovered/other[1].xml", "arn:of:flat/1.xml", "arn:of:flat/2.xml", "arn:of:tree/a/1.xml", "arn:of:tree/b/2.xml"}, got); d != "" || !slices.Equal(packed, []string{"a/1.xml", "b/2.xml"}) {
			t.Errorf("%s; in the archive %v; the log:\n%s", d, packed, log)
		}
		if text := s.files["arn:of:tree/a/1.xml"]; strings.TrimSpace(text) != junitText {
			t.Errorf("a file is %q", text)
		}
		if !strings.Contains(log, " Exported 2 raw file(s) to arn:aws:s3:::reports/arn:of:tree\n") {
			t.Errorf("the log does not tell:\n%s", log)
		}
	})
}

func TestSecretsAreMaskedInReports(t *testing.T) {
	s := &shelf{}
	spec := reportSpec(map[string]string{"j.xml": `<testsuite name="s"><testcase name="t0pS3cretValue" classname="C"><failure message="got t0pS3cretValue">at t0pS3cretValue</failure></testcase></testsuite>`}, "", "reports:\n  unit:\n    files: [j.xml]\n")
	_, log := run(t, agentapi.Sandbox{}, spec, masking("t0pS3cretValue"), keeping(s))
	if len(s.reports) != 1 || len(s.reports[0].Cases) != 1 {
		t.Fatalf("reports = %v; the log:\n%s", s.told(), log)
	}
	c := s.reports[0].Cases[0]
	if *c.Name != "***" || strings.Contains(*c.Message, "t0p") || !strings.Contains(*c.Message, "***") {
		t.Errorf("the case is %q: %q", *c.Name, *c.Message)
	}
}

func TestMoreThanFiveGroupsAreNotMade(t *testing.T) {
	s := &shelf{}
	reports := "reports:\n"
	for i := range 7 {
		reports += fmt.Sprintf("  g%d:\n    files: [j.xml]\n", i)
	}
	a, log := run(t, agentapi.Sandbox{}, reportSpec(map[string]string{"j.xml": junitText}, "", reports), keeping(s))
	if got := s.told(); len(got) != 5 || a.status() != api.StatusTypeSucceeded || !strings.Contains(log, " Skipping report group g5 and those after it: a buildspec names at most 5\n") {
		t.Errorf("reports = %v, status %s; the log:\n%s", got, a.status(), log)
	}
}

// Files that lead out of the workspace are read with the rights of user code, as
// user code itself could, and by nobody else.
func TestAReportIsReadWhereUserCodeRuns(t *testing.T) {
	box := bubblewrap(t)
	host := t.TempDir()
	if err := os.WriteFile(host+"/secret.xml", []byte(junitText), 0o600); err != nil {
		t.Fatal(err)
	}
	box.Hide = append(box.Hide, host)
	s := &shelf{}
	spec := reportSpec(nil, "      - ln -s "+host+"/secret.xml j.xml\n", "reports:\n  unit:\n    files: [j.xml]\n")
	a, log := run(t, box, spec, keeping(s))
	if _, message := a.context(api.BuildPhaseTypeUploadArtifacts); a.status() != api.StatusTypeFailed || !strings.Contains(message, "report files not found in build") && !strings.Contains(message, "no such file") {
		t.Errorf("the upload ended with %s; the log:\n%s", message, log)
	}
	for _, r := range s.reports {
		if r.TestSummary != nil {
			t.Errorf("a file that is hidden was read: %s", told(r))
		}
	}
}
