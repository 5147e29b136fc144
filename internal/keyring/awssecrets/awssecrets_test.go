package awssecrets

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"slipway/internal/fault"
)

const name = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:github-AbCdEf"

// manager is a small Secrets Manager that speaks GetSecretValue.
func manager(t *testing.T, status int, answer string) *Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ SecretId string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.SecretId != name {
			t.Errorf("it was asked for %q (%v), want %s", in.SecretId, err, name)
		}
		if got := r.Header.Get("X-Amz-Target"); got != "secretsmanager.GetSecretValue" {
			t.Errorf("target %q", got)
		}
		if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "/eu-west-1/secretsmanager/aws4_request") {
			t.Errorf("signed for %q, want the ARN's region", auth)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(s.Close)
	return New(func(context.Context) (aws.Config, error) {
		return aws.Config{
			Region: "us-east-1", BaseEndpoint: &s.URL, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		}, nil
	})
}

func TestASecretIsRead(t *testing.T) {
	got, err := manager(t, 200, `{"ARN":"`+name+`","SecretString":"{\"Token\":\"ghp_1\"}"}`).Read(t.Context(), name)
	if err != nil || got.Reveal() != `{"Token":"ghp_1"}` {
		t.Errorf("Read = %q, %v", got.Reveal(), err)
	}
}

func TestASecretIsNotRead(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		answer string
		kind   fault.Kind
		want   string
	}{
		{"it does not exist", 400, `{"__type":"ResourceNotFoundException","message":"hunter2"}`, fault.Invalid, "has no such secret"},
		{"it is not ours to read", 400, `{"__type":"AccessDeniedException","message":"hunter2"}`, fault.Invalid, "secretsmanager:GetSecretValue"},
		{"its key is not ours to use", 400, `{"__type":"DecryptionFailure","message":"hunter2"}`, fault.Invalid, "kms:Decrypt"},
		{"the AWS credentials are wrong", 400, `{"__type":"UnrecognizedClientException","message":"hunter2"}`, fault.Invalid, "UnrecognizedClientException"},
		{"AWS is overloaded", 400, `{"__type":"ThrottlingException","message":"hunter2"}`, fault.Unavailable, "did not answer"},
		{"AWS is down", 503, `hunter2`, fault.Unavailable, "did not answer"},
		{"it has another ARN", 200, `{"ARN":"` + name + `-GhIjKl","SecretString":"hunter2"}`, fault.Invalid, "not the secret's whole ARN"},
		{"it holds bytes", 200, `{"SecretBinary":"aHVudGVyMg=="}`, fault.Invalid, "as JSON text"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := manager(t, test.status, test.answer).Read(t.Context(), name)
			if fault.KindOf(err) != test.kind || !strings.Contains(fault.Message(err), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Read = %v (kind %d), want %q (kind %d)", err, fault.KindOf(err), test.want, test.kind)
			}
		})
	}
}

func TestWithoutCredentialsNobodyIsAsked(t *testing.T) {
	c := New(func(context.Context) (aws.Config, error) { return aws.Config{Region: "us-east-1"}, nil })
	if _, err := c.Read(t.Context(), name); fault.KindOf(err) != fault.Denied {
		t.Errorf("Read = %v, want Denied", err)
	}
}

func TestTheUsualPlacesAreLookedAt(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIDENV/") {
			t.Errorf("signed by %q", r.Header.Get("Authorization"))
		}
		_, _ = w.Write([]byte(`{"SecretString":"x"}`))
	}))
	defer s.Close()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL_SECRETS_MANAGER": s.URL,
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	if _, err := New(nil).Read(t.Context(), name); err != nil {
		t.Error(err)
	}
}
