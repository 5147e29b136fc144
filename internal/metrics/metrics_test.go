package metrics_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/arn"
	"slipway/internal/credential"
	"slipway/internal/metrics"
	"slipway/internal/store"
)

func TestMetrics(t *testing.T) {
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	scope := arn.Scope{Account: "000000000000", Region: "us-east-1"}
	noon := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	put := func(server api.ServerType, expires time.Time) credential.About {
		a := credential.About{Scope: scope, ARN: scope.Token(string(server)), ServerType: server, AuthType: api.AuthTypePersonalAccessToken, Expires: expires, Version: 1, Created: noon, Modified: noon}
		if err := db.Credentials().Put(t.Context(), credential.Sealed{About: a, Box: []byte("box")}, true); err != nil {
			t.Fatal(err)
		}
		return a
	}
	checked := put(api.ServerTypeGithub, noon.Add(time.Hour))
	put(api.ServerTypeGitlab, time.Time{})
	if err := db.Health().Put(t.Context(), credential.Health{ARN: checked.ARN, Version: 1, Checked: noon.Add(time.Minute), Warned: credential.NeverWarned, Found: slipway.CredentialHealth{
		State: slipway.CredentialStateLimited, TokenKind: slipway.TokenKindGithubClassic, Expires: api.At(noon.Add(48 * time.Hour)),
	}}); err != nil {
		t.Fatal(err)
	}

	h := metrics.New(db.Health(), "v1.2.3", slog.New(slog.DiscardHandler))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	said := string(body)
	const github = `{arn="arn:aws:codebuild:us-east-1:000000000000:token/github",name="",server_type="GITHUB"`
	const gitlab = `{arn="arn:aws:codebuild:us-east-1:000000000000:token/gitlab",name="",server_type="GITLAB"`
	for _, want := range []string{
		"slipway_credential_expiry_timestamp_seconds" + github + "} 1.7959536e+09\n",
		"slipway_credential_last_check_timestamp_seconds" + github + "} 1.79578086e+09\n",
		"slipway_credential_state" + github + `,state="LIMITED"} 1` + "\n",
		"slipway_credential_state" + github + `,state="VALID"} 0` + "\n",
		"slipway_credential_state" + gitlab + `,state="UNCHECKED"} 1` + "\n",
		`version="v1.2.3"} 1` + "\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the metrics do not say %q:\n%s", want, said)
		}
	}
	for _, unwanted := range []string{"expiry_timestamp_seconds" + gitlab, "last_check_timestamp_seconds" + gitlab, "go_goroutines"} {
		if strings.Contains(said, unwanted) {
			t.Errorf("the metrics say %q", unwanted)
		}
	}
}
