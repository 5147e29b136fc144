package accesskey

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"slipway/internal/api/slipway"
	"slipway/internal/fault"
	"slipway/internal/seal"
)

var morning = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)

func TestASessionLastsAnHourAtATimeAndTwelveInAll(t *testing.T) {
	s, k, err := NewSession("123456789012", "alice", slipway.SessionOriginAccessKey, morning.In(time.FixedZone("", 3600)))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Session{s.ID, "123456789012", "alice", slipway.SessionOriginAccessKey, morning, morning.Add(time.Hour), morning.Add(12 * time.Hour), ""}); s != want {
		t.Errorf("NewSession = %+v, want %+v", s, want)
	}
	seen := map[string]bool{}
	for hours, want := range map[int]time.Duration{0: time.Hour, 5: 6 * time.Hour, 11: 12 * time.Hour, 12: 12 * time.Hour} {
		renewed, next := s.Renew(morning.Add(time.Duration(hours) * time.Hour))
		if !renewed.Expires.Equal(morning.Add(want)) || next.Expires != renewed.Expires || renewed.Ends != s.Ends || renewed.ID != s.ID {
			t.Errorf("renewed after %d hours: %+v with keys until %v, want until %v", hours, renewed, next.Expires, want)
		}
		for _, k := range []Key{k, next} {
			if !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(k.ID) || !IsTemporary(k.ID) || len(k.Secret.Reveal()) != 40 || len(k.SessionToken.Reveal()) != 64 || k.User != "alice" || k.Account != s.Account {
				t.Errorf("keys: %+v", k)
			}
		}
		for _, text := range []string{next.ID, next.Secret.Reveal(), next.SessionToken.Reveal()} {
			if seen[text] {
				t.Error("a part of a key comes twice")
			}
			seen[text] = true
		}
	}
	if !regexp.MustCompile(`^[a-z2-7]{16}$`).MatchString(s.ID) || strings.Contains(strings.ToLower(k.ID), s.ID) {
		t.Errorf("session id %s, key id %s", s.ID, k.ID)
	}
	if got := Renewed(morning); !got.Equal(morning.Add(time.Minute)) {
		t.Errorf("keys renewed at %v are good until %v", morning, got)
	}
	if IsTemporary("AKIAIOSFODNN7EXAMPLE") {
		t.Error("a long-lived key is temporary")
	}
	for _, who := range [][2]string{{"1", "alice"}, {"123456789012", "a/b"}} {
		if _, _, err := NewSession(who[0], who[1], slipway.SessionOriginLink, morning); fault.KindOf(err) != fault.Invalid {
			t.Errorf("NewSession(%q): %v", who, err)
		}
		if _, _, err := NewCode(who[0], who[1], Session{}, time.Hour, morning); fault.KindOf(err) != fault.Invalid {
			t.Errorf("NewCode(%q): %v", who, err)
		}
	}
}

func TestASessionsKeysAreSealedAsOthersAre(t *testing.T) {
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	_, k, err := NewSession("123456789012", "alice", slipway.SessionOriginLink, morning)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := Seal(k, keys)
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range []string{k.Secret.Reveal(), k.SessionToken.Reveal()} {
		if strings.Contains(string(sealed.Box), plain) {
			t.Error("a secret is in the box as it is")
		}
	}
	got, err := sealed.Open(keys)
	if err != nil || got.Secret.Reveal() != k.Secret.Reveal() || got.SessionToken.Reveal() != k.SessionToken.Reveal() || got.Expires != k.Expires {
		t.Errorf("Open = %+v, %v", got, err)
	}
	sealed.User = "mallory"
	if _, err := sealed.Open(keys); err == nil {
		t.Error("a session's keys open as another user's")
	}
}

func TestACodeBeginsASession(t *testing.T) {
	c, text, err := NewCode("123456789012", "alice", Session{}, 10*time.Minute, morning)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(text.Reveal()) || string(c.Hash) != string(HashCode(text.Reveal())) || !c.Expires.Equal(morning.Add(10*time.Minute)) {
		t.Errorf("NewCode = %+v with a text of %d characters", c, len(text.Reveal()))
	}
	s, k, err := c.SignIn(morning.Add(time.Minute))
	if err != nil || s.User != "alice" || s.Origin != slipway.SessionOriginLink || !s.Ends.Equal(morning.Add(12*time.Hour+time.Minute)) || k.User != "alice" {
		t.Errorf("SignIn = %+v, %+v, %v", s, k, err)
	}
}

// Otherwise whoever got hold of a session could keep it for ever.
func TestALinkOfASessionDoesNotOutlastIt(t *testing.T) {
	s, _, err := NewSession("123456789012", "alice", slipway.SessionOriginLink, morning)
	if err != nil {
		t.Fatal(err)
	}
	late := s.Ends.Add(-5 * time.Minute)
	c, _, err := NewCode("123456789012", "alice", s, 10*time.Minute, late)
	if err != nil {
		t.Fatal(err)
	}
	if c.Session != s.ID || c.Expires != s.Ends {
		t.Errorf("NewCode = %+v, want it to end with the session at %v", c, s.Ends)
	}
	next, k, err := c.SignIn(late.Add(time.Minute))
	if err != nil || next.Ends != s.Ends || next.Expires != s.Ends || k.Expires != s.Ends || next.ID == s.ID {
		t.Errorf("SignIn = %+v with keys until %v, %v", next, k.Expires, err)
	}
}
