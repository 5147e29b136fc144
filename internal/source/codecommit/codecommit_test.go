package codecommit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"slipway/internal/fault"
	"slipway/internal/source/codecommit"
)

func client(token string) *codecommit.Client {
	load := func(context.Context) (aws.Config, error) {
		return aws.Config{Credentials: credentials.NewStaticCredentialsProvider("access", "secret", token)}, nil
	}
	return codecommit.New(load, func() time.Time { return time.Date(2017, 12, 24, 12, 53, 20, 0, time.FixedZone("", 3600)) })
}

// The signature is the one that the tests of AWS's git-remote-codecommit
// expect for these keys, this time and this repository.
func TestPublishedVector(t *testing.T) {
	const location = "https://git-codecommit.us-west-2.amazonaws.com/v1/repos/test_repo"
	const password = "20171224T115320Zb6df2d758a8023b2f000a546417007b65494f3ce8ad0300fd45fcfa173f1959a"
	for token, user := range map[string]string{"": "access", "token": "access%token"} {
		for _, at := range []string{location, location + "/"} {
			got, err := client(token).Login(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			if got.User.Reveal() != user || got.Password.Reveal() != password || got.KeyID != "access" {
				t.Errorf("Login(%s) = %q, %q, %q; want %q, %q", at, got.User.Reveal(), got.Password.Reveal(), got.KeyID, user, password)
			}
		}
	}
}

func TestWhatIsNotAtCodeCommitGetsNoLogin(t *testing.T) {
	for _, location := range []string{
		"", "https://github.com/o/r", "http://git-codecommit.us-west-2.amazonaws.com/v1/repos/r", "https://git-codecommit.us-west-2.amazonaws.com.evil.example/v1/repos/r",
		"https://evil.example/git-codecommit.us-west-2.amazonaws.com/v1/repos/r", "https://git-codecommit.us-west-2.amazonaws.com:8443/v1/repos/r",
		"https://u:p@git-codecommit.us-west-2.amazonaws.com/v1/repos/r", "https://git-codecommit.us-west-2.amazonaws.com/v1/repos/", "https://git-codecommit.us-west-2.amazonaws.com/v1/repos/a/b",
		"https://git-codecommit.us-west-2.amazonaws.com/v1/repos/a%0Ahost:x", "https://s3.us-west-2.amazonaws.com/v1/repos/r",
	} {
		if got, err := client("").Login(t.Context(), location); fault.KindOf(err) != fault.Invalid || !got.Password.IsZero() {
			t.Errorf("Login(%q) = %v, %v; want Invalid", location, got, err)
		}
	}
}

func TestWithoutCredentialsItSaysWhatToDo(t *testing.T) {
	const location = "https://git-codecommit.us-west-2.amazonaws.com/v1/repos/r"
	tries := 0
	c := codecommit.New(func(context.Context) (aws.Config, error) {
		switch tries++; tries {
		case 1:
			return aws.Config{}, errors.New("a file with s3cret things in it")
		case 2:
			return aws.Config{}, nil
		case 3:
			return aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none") })}, nil
		}
		return aws.Config{Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, nil
	}, nil)
	for range 3 {
		_, err := c.Login(t.Context(), location)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "AWS_ACCESS_KEY_ID") || strings.Contains(fault.Message(err), "s3cret") {
			t.Errorf("err = %v, want Invalid with what to do", fault.Message(err))
		}
	}
	if _, err := c.Login(t.Context(), location); err != nil {
		t.Errorf("err = %v once there are credentials", err)
	}
}
