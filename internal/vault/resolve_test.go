package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"slipway/internal/api"
	"slipway/internal/arn"
	"slipway/internal/fault"
	"slipway/internal/secret"
)

// place is a source of values that counts what it is asked.
type place struct {
	parameters, secrets map[string]string
	broken              error
	asked               []string
}

func (p *place) Parameters(_ context.Context, _ arn.Scope, names []string, _ Use) (map[string]secret.Text, error) {
	p.asked = append(p.asked, strings.Join(names, "+"))
	found := map[string]secret.Text{}
	for _, name := range names {
		if value, ok := p.parameters[name]; ok {
			found[name] = secret.New(value)
		}
	}
	return found, p.broken
}

func (p *place) Secret(_ context.Context, _ arn.Scope, r SecretReference, _ Use) (secret.Text, error) {
	p.asked = append(p.asked, r.String())
	if p.broken != nil {
		return secret.Text{}, p.broken
	}
	value, ok := p.secrets[r.String()]
	if !ok {
		return secret.Text{}, NoSecret(notFound)
	}
	return secret.New(value), nil
}

func refs(all ...string) (out []Reference) {
	for _, text := range all {
		typ := api.EnvironmentVariableTypeSecretsManager
		if strings.HasPrefix(text, "/") {
			typ = api.EnvironmentVariableTypeParameterStore
		}
		out = append(out, Reference{typ, text})
	}
	return out
}

func TestEverythingIsAskedForOnce(t *testing.T) {
	near := &place{parameters: map[string]string{"/a": "1"}, secrets: map[string]string{"db": `{"user":"ada","port":5432,"tls":true,"none":null,"list":[1, 2],"Empty":""}`, "db::AWSPREVIOUS": `{"user":"bob"}`}}
	far := &place{parameters: map[string]string{"/a": "far", "/b": "2"}, secrets: map[string]string{"db": "far", "key": "text\n"}}
	values, failure, err := Resolve(t.Context(), scope, []Source{near, far},
		refs("/b", "db:user", "/a", "db:port", "/a", "db:tls", "db:list", "db", "key", "db:user:AWSPREVIOUS", "key", "db:Empty"), Use{})
	if failure != nil || err != nil {
		t.Fatal(failure, err)
	}
	var got []string
	for _, v := range values {
		got = append(got, v.Reveal())
	}
	want := []string{"2", "ada", "1", "5432", "1", "true", "[1, 2]", near.secrets["db"], "text\n", "bob", "text\n", ""}
	if !slices.Equal(got, want) {
		t.Errorf("values %q, want %q", got, want)
	}
	if got := strings.Join(near.asked, " "); got != "/b+/a db key db::AWSPREVIOUS" {
		t.Errorf("the first source was asked for %s", got)
	}
	if got := strings.Join(far.asked, " "); got != "/b key" {
		t.Errorf("the second source was asked for %s", got)
	}
}

func TestWhyAReferenceHasNoValue(t *testing.T) {
	has := &place{secrets: map[string]string{"db": `{"password":"hunter22","none":null}`, "text": "hunter22", "list": `["hunter22"]`, "null": "null"}}
	denied := &place{broken: &Refusal{"AccessDeniedException", "User: x is not authorized to perform: ssm:GetParameters on resource: y"}}
	mute := &place{broken: &Refusal{"", "AWS did not answer."}}
	for reference, c := range map[string]struct {
		source     Source
		code, want string
	}{
		"/x":          {has, "Decrypted Variables Error", "parameter does not exist: /x"},
		"/denied":     {denied, "Decrypted Variables Error", "AccessDeniedException: User: x is not authorized to perform: ssm:GetParameters on resource: y"},
		"/mute":       {mute, "Decrypted Variables Error", "AWS did not answer."},
		"none":        {has, "Secrets Manager Error", "ResourceNotFoundException: Secrets Manager can't find the specified secret."},
		"denied":      {denied, "Secrets Manager Error", "AccessDeniedException: User: x is not authorized to perform: ssm:GetParameters on resource: y"},
		"db:Password": {has, "Secrets Manager Error", "The reference db:Password has no value: the secret's JSON has no key Password"},
		"db:none":     {has, "Secrets Manager Error", "The reference db:none has no value: the value of key none is null"},
		"text:key":    {has, "Secrets Manager Error", "The reference text:key has no value: the secret's text is no JSON object, so that it has no key key"},
		"list:key":    {has, "Secrets Manager Error", "The reference list:key has no value: the secret's text is no JSON object, so that it has no key key"},
		"null:key":    {has, "Secrets Manager Error", "The reference null:key has no value: the secret's text is no JSON object, so that it has no key key"},
		"db:k:s:v":    {has, "Secrets Manager Error", `The reference "db:k:s:v" has both a version stage and a version id: leave one of them empty`},
		"":            {has, "Secrets Manager Error", `The reference "" names no secret: expected secret-id:json-key:version-stage:version-id, of which all but secret-id can be left out`},
	} {
		_, failure, err := Resolve(t.Context(), scope, []Source{c.source}, refs(reference), Use{})
		if err != nil || failure == nil || *failure != (Failure{c.code, c.want}) {
			t.Errorf("%q: %+v, %v, want %s: %s", reference, failure, err, c.code, c.want)
		}
		if strings.Contains(fmt.Sprintf("%+v", failure), "hunter") {
			t.Errorf("%q: the failure repeats the secret: %+v", reference, failure)
		}
	}
	full := errors.New("the disk is full")
	for _, reference := range []string{"/x", "db"} {
		if _, failure, err := Resolve(t.Context(), scope, []Source{&place{broken: full}}, refs(reference), Use{}); !errors.Is(err, full) || failure != nil {
			t.Errorf("a source that fails: %v, %v", failure, err)
		}
	}
	if _, _, err := Resolve(t.Context(), scope, []Source{has}, []Reference{{api.EnvironmentVariableTypePlaintext, "x"}}, Use{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a PLAINTEXT variable: %v", err)
	}
}
