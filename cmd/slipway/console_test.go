package main

import (
	"encoding/json"
	"errors"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"

	"slipway/internal/accesskey"
	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/awsjson"
	"slipway/internal/secret"
)

// own calls one of our own operations and fails the test if it fails.
func own[Out any](t *testing.T, c *awsjson.Client, op string, in any) *Out {
	t.Helper()
	out := new(Out)
	if err := c.Call(t.Context(), slipway.Definition, op, in, out); err != nil {
		t.Fatalf("%s: %v", op, err)
	}
	return out
}

// codeIn returns the code of the first link in a text.
func codeIn(t *testing.T, text, base string) string {
	t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(base) + `/console/#code=([\w-]{43})\b`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no link to the console of %s in:\n%s", base, text)
	}
	return found[1]
}

// signedIn signs in with a code, unsigned, and returns a client with what came.
func (s *serverProcess) signedIn(code string) (*awsjson.Client, slipway.Session) {
	s.t.Helper()
	anybody := &awsjson.Client{Endpoint: s.url}
	out := own[slipway.SignInOutput](s.t, anybody, "SignIn", &slipway.SignInInput{Code: secret.New(code)})
	return withSession(s.url, out.Credentials), *out.Session
}

func withSession(url string, c *slipway.SessionCredentials) *awsjson.Client {
	return &awsjson.Client{Endpoint: url, Region: "us-east-1", Key: accesskey.Key{
		ID: c.AccessKeyID, Secret: secret.New(c.SecretAccessKey), SessionToken: secret.New(c.SessionToken),
	}}
}

// refusal returns the exception's name of a failed call.
func refusal(t *testing.T, c *awsjson.Client, op string, in any) string {
	t.Helper()
	e, ok := errors.AsType[*awsjson.Error](c.Call(t.Context(), slipway.Definition, op, in, nil))
	if !ok {
		return ""
	}
	return e.Name
}

func TestConsoleSignIn(t *testing.T) {
	s := serve(t, "--runner", "local")
	s.project("app", "version: 0.2\nphases:\n  build:\n    commands: [echo hi]\n")
	s.expects(0, "", words("console sessions"), "Nobody is signed in")

	printed := codeIn(t, s.printed(), s.url)
	if lines := regexp.MustCompile(`(?m)^  console .*$`).FindAllString(s.printed(), -1); len(lines) != 1 || !strings.HasSuffix(lines[0], "  (one sign-in, within an hour)") {
		t.Errorf("serve printed %q", lines)
	}
	browser, session := s.signedIn(printed)
	if left := time.Until(session.Ends.Time); session.User != "owner" || left < 11*time.Hour || left > 12*time.Hour {
		t.Errorf("session = %+v", session)
	}
	again := &slipway.SignInInput{Code: secret.New(printed)}
	if got := refusal(t, &awsjson.Client{Endpoint: s.url}, "SignIn", again); got != "InvalidInputException" {
		t.Errorf("using the link again: %q", got)
	}
	about := own[slipway.DescribeServerOutput](t, browser, "DescribeServer", nil)
	if about.User != "owner" || about.Account != "000000000000" || about.Region != "us-east-1" || about.Runner != "local" || about.MaxBuilds < 1 || about.Version == "" || about.Webhooks {
		t.Errorf("DescribeServer = %+v", about)
	}

	t.Run("a session acts as its user", func(t *testing.T) {
		for _, c := range []*awsjson.Client{browser, s.client} {
			var out api.StartBuildOutput
			if err := c.Call(t.Context(), api.CodeBuild, "StartBuild", &api.StartBuildInput{ProjectName: "app"}, &out); err != nil {
				t.Fatal(err)
			}
			if got := value(out.Build.Initiator); got != "owner" {
				t.Errorf("the initiator of a build of %s is %q", c.Key.ID, got)
			}
		}
	})
	t.Run("AWS's clients take a session's keys", func(t *testing.T) {
		k := browser.Key
		client := codebuild.NewFromConfig(aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(s.url),
			Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret.Reveal(), k.SessionToken.Reveal())})
		if _, err := client.ListProjects(t.Context(), &codebuild.ListProjectsInput{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("the command line makes links and ends sessions", func(t *testing.T) {
		out := s.expects(0, "", words("console"), "It signs in once, within 10 minutes.")
		other, second := s.signedIn(codeIn(t, out, s.url))
		var link slipway.CreateSignInLinkOutput
		if err := json.Unmarshal([]byte(s.expects(0, "", words("console --open=false --output json"))), &link); err != nil || time.Until(link.Expires.Time) > 10*time.Minute {
			t.Errorf("as JSON: until %v, %v", link.Expires, err)
		}
		_, third := s.signedIn(codeIn(t, link.URL, s.url))
		s.expects(0, "", words("console sessions"), "SESSION", session.ID+" owner link", second.ID, third.ID)

		own[slipway.ListSessionsOutput](t, other, "ListSessions", nil) // its key is remembered from here on
		s.expects(0, "", words("console revoke "+second.ID), "Ended 1 session.")
		if got := refusal(t, other, "ListSessions", nil); got != "UnrecognizedClientException" {
			t.Errorf("the next request of a revoked session: %q", got)
		}
		s.expects(1, "", words("console revoke "+second.ID), "ResourceNotFoundException: There is no such session")
		s.expects(0, "", words("console revoke --all"), "Ended 2 sessions.")
		if got := refusal(t, browser, "ListSessions", nil); got != "UnrecognizedClientException" {
			t.Errorf("after --all: %q", got)
		}
		s.expects(0, "", words("console sessions"), "Nobody is signed in")
		for _, args := range []string{"console revoke", "console revoke --all x", "console revoke a b", "console sessions x"} {
			if _, code := s.tries("", words(args)...); code == 0 {
				t.Errorf("slipway %s succeeded", args)
			}
		}
	})
	t.Run("a long-lived key gets a session, renews and ends it", func(t *testing.T) {
		made := own[slipway.CreateSessionOutput](t, s.client, "CreateSession", nil)
		first := withSession(s.url, made.Credentials)
		renewed := own[slipway.RenewSessionOutput](t, first, "RenewSession", nil)
		next := withSession(s.url, renewed.Credentials)
		for _, c := range []*awsjson.Client{first, next} { // what is on its way still arrives
			if out := own[slipway.ListSessionsOutput](t, c, "ListSessions", nil); len(out.Sessions) != 1 || !out.Sessions[0].Current || out.Sessions[0].ID != made.Session.ID {
				t.Errorf("ListSessions = %+v", out)
			}
		}
		for op, c := range map[string]*awsjson.Client{"CreateSession": next, "RenewSession": s.client} {
			if got := refusal(t, c, op, nil); got != "InvalidInputException" {
				t.Errorf("%s with the other kind of key: %q", op, got)
			}
		}
		own[slipway.RevokeSessionOutput](t, next, "RevokeSession", nil)
		for _, c := range []*awsjson.Client{first, next} {
			if got := refusal(t, c, "DescribeServer", nil); got != "UnrecognizedClientException" {
				t.Errorf("after signing out: %q", got)
			}
		}
	})
	t.Run("sessions outlive a restart, and the old start's link does too", func(t *testing.T) {
		c, _ := s.signedIn(codeIn(t, s.expects(0, "", words("console")), s.url))
		s.stop()
		s.start()
		c.Endpoint = s.url
		own[slipway.DescribeServerOutput](t, c, "DescribeServer", nil)
	})
	if n := strings.Count(s.printed(), printed); n != 1 {
		t.Errorf("the link was printed %d times", n)
	}
	for _, word := range []string{"#code=", browser.Key.Secret.Reveal(), browser.Key.SessionToken.Reveal()} {
		for line := range strings.Lines(s.printed()) {
			if strings.Contains(line, word) && !strings.HasPrefix(line, "  console ") {
				t.Errorf("a secret is logged: %s", line)
			}
		}
	}
}

func TestConsoleOfABench(t *testing.T) {
	s := serve(t, "--accept-any-credentials", "--account", "123456789012")
	browser, session := s.signedIn(codeIn(t, s.printed(), s.url))
	if session.User != "local" {
		t.Errorf("the link signs in %+v", session)
	}
	anybody := &awsjson.Client{Endpoint: s.url, Region: "us-east-1"}
	made := own[slipway.CreateSessionOutput](t, anybody, "CreateSession", nil)
	out := own[slipway.ListSessionsOutput](t, browser, "ListSessions", nil)
	if len(out.Sessions) != 2 || out.Sessions[0].ID != made.Session.ID || out.Sessions[0].Current || !out.Sessions[1].Current {
		t.Errorf("ListSessions = %+v", out)
	}
	renewed := own[slipway.RenewSessionOutput](t, browser, "RenewSession", nil)
	if renewed.Session.ID != session.ID {
		t.Errorf("RenewSession = %+v", renewed.Session)
	}
	s.expects(0, "", words("console revoke "+made.Session.ID), "Ended 1 session.")
	own[slipway.RevokeSessionOutput](t, withSession(s.url, renewed.Credentials), "RevokeSession", nil)
	s.expects(0, "", words("console sessions"), "Nobody is signed in")
	if about := own[slipway.DescribeServerOutput](t, anybody, "DescribeServer", nil); about.User != "local" || about.Account != "123456789012" {
		t.Errorf("DescribeServer = %+v", about)
	}
}

func TestABrowserIsOpenedWhereSomebodySeesIt(t *testing.T) {
	for _, test := range []struct {
		system, want string
		env          map[string]string
	}{
		{"linux", "xdg-open", map[string]string{"DISPLAY": ":0"}},
		{"linux", "xdg-open", map[string]string{"WAYLAND_DISPLAY": "wayland-0"}},
		{"linux", "", nil},
		{"linux", "", map[string]string{"WAYLAND_DISPLAY": "wayland-0", "SSH_CONNECTION": "x"}},
		{"linux", "xdg-open", map[string]string{"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "x"}},
		{"darwin", "open", nil},
		{"darwin", "", map[string]string{"SSH_CONNECTION": "x"}},
	} {
		if got := opener(test.system, func(name string) string { return test.env[name] }); got != test.want {
			t.Errorf("on %s with %v: %q, want %q", test.system, test.env, got, test.want)
		}
	}
	for d, want := range map[time.Duration]string{599 * time.Second: "10 minutes", 61 * time.Second: "1 minute"} {
		if got := lasts(d); got != want {
			t.Errorf("lasts(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestLinksLeadWhereBrowsersGo(t *testing.T) {
	for at, want := range map[string]string{
		"127.0.0.1:4680": "http://127.0.0.1:4680", "0.0.0.0:4680": "http://localhost:4680", "[::]:80": "http://localhost:80", "[::1]:4680": "http://[::1]:4680", "10.1.2.3:1": "http://10.1.2.3:1",
	} {
		a, err := net.ResolveTCPAddr("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		if got := browsable(a); got != want {
			t.Errorf("browsable(%s) = %s, want %s", at, got, want)
		}
	}
}
