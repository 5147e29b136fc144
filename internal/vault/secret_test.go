package vault

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/seal"
	"slipway/internal/secret"
)

func words(text string) Value { return newValue(text, false) }

// stages returns the versions of s and their stages.
func stages(s *Secret) string {
	var b strings.Builder
	for _, v := range s.Versions {
		fmt.Fprintf(&b, "%s%v ", v.ID, v.Stages)
	}
	return strings.TrimSpace(b.String())
}

func TestTheStagesOfASecretMove(t *testing.T) {
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSecret(scope, "app/db", noon)
	if err != nil || !regexp.MustCompile(`^arn:aws:secretsmanager:us-east-1:000000000000:secret:app/db-[A-Za-z]{6}$`).MatchString(s.ARN) {
		t.Fatalf("NewSecret = %+v, %v", s, err)
	}
	if _, err := s.Version("", ""); fault.KindOf(err) != fault.NotFound || fault.Message(err) != "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT" {
		t.Errorf("a secret without a value: %v", err)
	}
	for _, step := range []struct {
		id     string
		stages []string
		want   string
	}{
		{"v1", []string{"blue"}, "v1[AWSCURRENT blue]"},
		{"v2", nil, "v1[AWSPREVIOUS blue] v2[AWSCURRENT]"},
		{"v3", []string{"green"}, "v1[AWSPREVIOUS blue] v2[AWSCURRENT] v3[green]"},
		{"v4", []string{Current, "green"}, "v1[blue] v2[AWSPREVIOUS] v3[] v4[AWSCURRENT green]"},
	} {
		if _, err := s.Put(words("value of "+step.id), step.id, step.stages, keys, noon); err != nil {
			t.Fatal(err)
		}
		if got := stages(s); got != step.want {
			t.Errorf("after %s: %s, want %s", step.id, got, step.want)
		}
	}
	for _, c := range []struct{ id, stage, want string }{
		{"", "", "v4"}, {"", Previous, "v2"}, {"v3", "", "v3"}, {"v4", "green", "v4"}, {"", "blue", "v1"},
	} {
		v, err := s.Version(c.id, c.stage)
		if err != nil || v.ID != c.want {
			t.Errorf("Version(%q, %q) = %+v, %v, want %s", c.id, c.stage, v, err, c.want)
			continue
		}
		value, err := s.Open(v, keys)
		if text, ok := value.Text(); err != nil || !ok || text.Reveal() != "value of "+c.want {
			t.Errorf("the value of %s is %q, %v", c.want, text.Reveal(), err)
		}
	}
	for _, c := range []struct {
		id, stage string
		kind      fault.Kind
		want      string
	}{
		{"v9", "", fault.NotFound, "specified secret value for VersionId: v9"},
		{"", "red", fault.NotFound, "specified secret value for staging label: red"},
		{"v1", Current, fault.Invalid, "not associated to the provided VersionId"},
	} {
		if _, err := s.Version(c.id, c.stage); fault.KindOf(err) != c.kind || !strings.Contains(fault.Message(err), c.want) {
			t.Errorf("Version(%q, %q): %v, want %q", c.id, c.stage, err, c.want)
		}
	}
	if _, err := s.Put(words("value of v2"), "v2", nil, keys, noon); err != nil || !strings.HasPrefix(stages(s), "v1[blue] v2[AWSPREVIOUS]") {
		t.Errorf("putting the same again: %v, %s", err, stages(s))
	}
	if _, err := s.Put(words("other"), "v2", nil, keys, noon); fault.KindOf(err) != fault.Exists {
		t.Errorf("putting another value as v2: %v", err)
	}
	s.Versions[0].Box, s.Versions[1].Box = s.Versions[1].Box, s.Versions[0].Box
	if _, err := s.Open(&s.Versions[0], keys); err == nil {
		t.Error("the value of one version opens as another's")
	}
}

func TestAStageIsMovedByHand(t *testing.T) {
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSecret(scope, "db", noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"v1", "v2", "v3"} {
		if _, err := s.Put(words(id), id, nil, keys, noon); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ stage, from, to, want string }{
		{Current, "", "v1", "! must explicitly reference"},
		{Current, "v1", "v2", "! does not have the staging label"},
		{Current, "v3", "", "! can't be completely removed"},
		{Current, "v3", "v9", "! VersionId: v9"},
		{"blue", "", "", "! You must provide"},
		{Current, "v3", "v1", "v1[AWSCURRENT] v2[] v3[AWSPREVIOUS]"},
		{"blue", "", "v2", "v1[AWSCURRENT] v2[blue] v3[AWSPREVIOUS]"},
		{"blue", "v2", "", "v1[AWSCURRENT] v2[] v3[AWSPREVIOUS]"},
		{Previous, "v3", "", "v1[AWSCURRENT] v2[] v3[]"},
	} {
		err := s.MoveStage(c.stage, c.from, c.to, noon)
		if text, bad := strings.CutPrefix(c.want, "! "); bad {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("MoveStage(%q, %q, %q): %v, want %q", c.stage, c.from, c.to, err, text)
			}
		} else if got := stages(s); err != nil || got != c.want {
			t.Errorf("MoveStage(%q, %q, %q): %v, %s, want %s", c.stage, c.from, c.to, err, got, c.want)
		}
	}
}

func TestVersionsWithoutAStageAreForgotten(t *testing.T) {
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSecret(scope, "db", noon)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 130 {
		stage := []string{Current}
		if i == 0 {
			stage = append(stage, "keep")
		}
		if _, err := s.Put(words("x"), fmt.Sprint("v", i), stage, keys, noon); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.Versions) != 100 || s.Versions[0].ID != "v0" || s.Versions[1].ID != "v31" {
		t.Errorf("%d versions: %s", len(s.Versions), stages(s))
	}
}

func TestDeletionHasAWindow(t *testing.T) {
	s, err := NewSecret(scope, "db", noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, days := range []int64{6, 31, -1} {
		if err := s.Mark(&days, noon); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a window of %d days: %v", days, err)
		}
	}
	if err := s.Mark(nil, noon); err != nil || !s.Purge.Equal(noon.AddDate(0, 0, 30)) {
		t.Errorf("marked it goes at %v, %v", s.Purge, err)
	}
	if err := s.Usable(noon); fault.ReasonOf(err) != Unfit || fault.Message(err) != "You can't perform this operation on the secret because it was marked for deletion." {
		t.Errorf("a marked secret: %v", err)
	}
	if err := s.Usable(noon.AddDate(0, 0, 30)); fault.KindOf(err) != fault.NotFound {
		t.Errorf("after its window: %v", err)
	}
	s.Restore()
	if err := s.Usable(noon.Add(time.Hour)); err != nil {
		t.Errorf("a restored secret: %v", err)
	}
	if err := (*Secret)(nil).Usable(noon); fault.Message(err) != "Secrets Manager can't find the specified secret." {
		t.Errorf("no secret: %v", err)
	}
}

func TestNamesAndValuesOfSecrets(t *testing.T) {
	for name, kind := range map[string]fault.Kind{"a b": fault.Constraint, "ä": fault.Constraint, "a:b": fault.Constraint, "": fault.Constraint, "slipway/acme": fault.Invalid} {
		if _, err := NewSecret(scope, name, noon); fault.KindOf(err) != kind {
			t.Errorf("NewSecret(%q): %v, want kind %d", name, err, kind)
		}
	}
	b64 := func(s string) secret.Text { return secret.New(base64.StdEncoding.EncodeToString([]byte(s))) }
	if v, ok, err := NewValue(secret.Text{}, b64("\x00\xff")); err != nil || !ok || string(v.Bytes()) != "\x00\xff" {
		t.Errorf("bytes: %v, %v, %v", v, ok, err)
	}
	if _, ok, err := NewValue(secret.Text{}, secret.Text{}); err != nil || ok {
		t.Errorf("no value: %v, %v", ok, err)
	}
	for name, c := range map[string]struct{ text, bytes secret.Text }{
		"both":       {secret.New("hunter22"), b64("hunter22")},
		"no base64":  {secret.Text{}, secret.New("hunter22!")},
		"too long":   {secret.New(strings.Repeat("hunter22", 8193)), secret.Text{}},
		"not text":   {secret.New("hunter22\xff"), secret.Text{}},
		"long bytes": {secret.Text{}, b64(strings.Repeat("x", 65537))},
	} {
		if _, _, err := NewValue(c.text, c.bytes); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for id, want := range map[string]string{
		"app/db": " app/db true", secretARN: secretARN + " app/db-AbCdEf true", "": "  false",
		"arn:aws:secretsmanager:eu-west-1:000000000000:secret:db": "  false", "arn:aws:ssm:us-east-1:000000000000:secret:db": "  false",
	} {
		full, name, ok := FindSecret(scope, id)
		if got := fmt.Sprint(full, " ", name, " ", ok); got != want {
			t.Errorf("FindSecret(%q) = %q, want %q", id, got, want)
		}
	}
}
