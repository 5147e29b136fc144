package accesskey

import (
	"regexp"
	"testing"
	"time"

	"slipway/internal/arn"
	"slipway/internal/fault"
)

func TestNewKeysLookLikeAWSKeys(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("", 3600))
	seen := map[string]bool{}
	for range 100 {
		k, err := New("123456789012", "alice", now)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`).MatchString(k.ID) {
			t.Errorf("ID = %q", k.ID)
		}
		if !regexp.MustCompile(`^[A-Za-z0-9+/]{40}$`).MatchString(k.Secret.Reveal()) {
			t.Errorf("the secret has another form")
		}
		if k.Account != "123456789012" || k.User != "alice" || !k.Created.Equal(now) || !k.SessionToken.IsZero() || k.Expired(now.AddDate(100, 0, 0)) {
			t.Errorf("New = %+v", k)
		}
		if seen[k.ID] || seen[k.Secret.Reveal()] {
			t.Error("the same key twice")
		}
		seen[k.ID], seen[k.Secret.Reveal()] = true, true
	}
}

func TestNewRefusesWhatIsNoAccountOrUser(t *testing.T) {
	for _, who := range [][2]string{{"", "alice"}, {"12345678901", "alice"}, {"123456789012\n", "alice"}, {"123456789012", ""}, {"123456789012", "a/b"}} {
		if _, err := New(who[0], who[1], time.Now()); fault.KindOf(err) != fault.Invalid {
			t.Errorf("New(%q, %q): %v, want a fault of kind Invalid", who[0], who[1], err)
		}
	}
}

func TestKeyExpiresAtItsTime(t *testing.T) {
	at := time.Unix(1000, 0)
	k := Key{Expires: at}
	if k.Expired(at.Add(-1)) || !k.Expired(at) {
		t.Errorf("Expired before = %v, at = %v; want false, true", k.Expired(at.Add(-1)), k.Expired(at))
	}
}

func TestCallerHasANameAndAnID(t *testing.T) {
	c := Caller{Scope: arn.Scope{Account: "123456789012", Region: "us-east-1"}, User: "alice"}
	if got, want := c.ARN(), "arn:aws:iam::123456789012:user/alice"; got != want {
		t.Errorf("ARN = %s, want %s", got, want)
	}
	if id := c.UserID(); !regexp.MustCompile(`^AIDA[A-Z2-7]{17}$`).MatchString(id) || id != c.UserID() {
		t.Errorf("UserID = %s", id)
	}
	ctx := WithCaller(t.Context(), c)
	if CallerOf(ctx) != c || CallerOf(t.Context()) != (Caller{}) {
		t.Error("a context does not carry its caller")
	}
}
