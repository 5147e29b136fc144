package seal_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"slipway/internal/seal"
)

const owner = "arn:aws:codebuild:us-west-2:123456789012:token/github"

func newKeyset(t *testing.T) *seal.Keyset {
	t.Helper()
	k, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sealed returns text sealed for owner.
func sealed(t *testing.T, k *seal.Keyset, text string) []byte {
	t.Helper()
	box, err := k.Seal([]byte(text), owner)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestWhatIsSealedOpensForItsOwnerOnly(t *testing.T) {
	k := newKeyset(t)
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")
		owner, other := rapid.StringN(1, -1, -1).Draw(t, "owner"), rapid.String().Draw(t, "other")
		box, err := k.Seal(plaintext, owner)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Open(box, owner); err != nil || !bytes.Equal(got, plaintext) {
			t.Errorf("Open for the owner = %q, %v, want %q", got, err, plaintext)
		}
		if got, err := k.Open(box, other); other != owner && (err == nil || got != nil) {
			t.Errorf("Open for %q what is sealed for %q = %q, %v, want an error", other, owner, got, err)
		}
	})
}

func TestABoxCannotBeChangedUnseen(t *testing.T) {
	k := newKeyset(t)
	box := sealed(t, k, "hunter2")
	refused := func(what string, changed []byte) {
		t.Helper()
		if got, err := k.Open(changed, owner); err == nil || got != nil {
			t.Errorf("%s: Open = %q, %v, want an error", what, got, err)
		}
	}
	for i := range box {
		for bit := range 8 {
			changed := bytes.Clone(box)
			changed[i] ^= 1 << bit
			refused(fmt.Sprintf("bit %d of byte %d is another", bit, i), changed)
		}
		refused(fmt.Sprintf("cut to %d bytes", i), box[:i])
	}
	refused("longer", append(bytes.Clone(box), 0))
	refused("nothing", nil)
}

func TestTheSameTextIsSealedDifferentlyEachTime(t *testing.T) {
	k := newKeyset(t)
	one, two := sealed(t, k, "hunter2"), sealed(t, k, "hunter2")
	if bytes.Equal(one, two) {
		t.Error("two boxes of the same text are equal")
	}
	if bytes.Contains(one, []byte("hunter2")) {
		t.Error("the text is in the box in the clear")
	}
}

func TestASealedValueNeedsAnOwner(t *testing.T) {
	k := newKeyset(t)
	if box, err := k.Seal([]byte("hunter2"), ""); err == nil || box != nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Seal for nobody = %q, %v, want an error", box, err)
	}
	if got, err := k.Open(sealed(t, k, "hunter2"), ""); err == nil || got != nil {
		t.Errorf("Open for nobody = %q, %v, want an error", got, err)
	}
}

func TestABoxSaysWhichKeySealedIt(t *testing.T) {
	k, other := newKeyset(t), newKeyset(t)
	_, err := other.Open(sealed(t, k, "hunter2"), owner)
	want := fmt.Sprintf("open what is sealed for %s: it was sealed with key %s, which is not in the key file", owner, k.KeyID())
	if err == nil || err.Error() != want {
		t.Errorf("Open with another key = %v, want %s", err, want)
	}
}

func TestWhyABoxOfThisKeyDoesNotOpen(t *testing.T) {
	k := newKeyset(t)
	box := sealed(t, k, "hunter2")
	const because = "open what is sealed for %s: the owner is another or it was changed"
	for name, c := range map[string]struct {
		box   []byte
		owner string
	}{
		"another owner": {box, owner + "_enterprise"},
		"changed":       {append(bytes.Clone(box[:len(box)-1]), ^box[len(box)-1]), owner},
		"no box at all": {[]byte("hunter2"), owner},
		"empty":         {nil, owner},
	} {
		if _, err := k.Open(c.box, c.owner); err == nil || err.Error() != fmt.Sprintf(because, c.owner) {
			t.Errorf("%s: Open = %v, want "+because, name, err, c.owner)
		}
	}
}

func TestAKeysetPrintsAsItsKeyID(t *testing.T) {
	k := newKeyset(t)
	want := "key " + k.KeyID()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, k); got != want {
			t.Errorf("%s prints %s, want %s", verb, got, want)
		}
	}
	if k.KeyID() == "" || k.KeyID() == newKeyset(t).KeyID() {
		t.Errorf("the key id %q does not tell keys apart", k.KeyID())
	}
}

func TestAKeysetMayBeUsedBySeveralGoroutines(t *testing.T) {
	k := newKeyset(t)
	var g sync.WaitGroup
	for i := range 8 {
		g.Go(func() {
			text := fmt.Sprint("secret ", i)
			box, err := k.Seal([]byte(text), owner)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := k.Open(box, owner); err != nil || string(got) != text {
				t.Errorf("Open = %q, %v, want %q", got, err, text)
			}
			if _, err := k.Open(box, "somebody"); err == nil || k.KeyID() == "" {
				t.Error("opened for somebody else")
			}
		})
	}
	g.Wait()
}
