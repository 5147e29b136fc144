package secret_test

import (
	"bytes"
	"database/sql/driver"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"strings"
	"testing"

	"slipway/internal/secret"
)

const clear = "hunter2-\x00-ghp_0123"

// A holder has a secret in every place that printers and encoders treat apart.
type holder struct {
	Name     string
	Exported secret.Text
	hidden   secret.Text
	Pointer  *secret.Text
	List     []secret.Text
	ByName   map[string]secret.Text
	Any      any
}

func held() holder {
	t := secret.New(clear)
	return holder{"app", t, t, &t, []secret.Text{t}, map[string]secret.Text{"a": t}, t}
}

// leaks reports whether out has the secret in any spelling.
func leaks(out string) bool {
	for _, s := range []string{clear, "hunter2", "ghp_0123", hex.EncodeToString([]byte("hunter2")), "104 117 110 116 101 114 50", "0x68, 0x75"} {
		if strings.Contains(strings.ToLower(out), strings.ToLower(s)) {
			return true
		}
	}
	return false
}

func TestEveryVerbPrintsRedacted(t *testing.T) {
	text := secret.New(clear)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%c", "%U", "%t", "%e", "%20s", "%-5v", "%.3s", "%w", "%p", "%z"} {
		for name, value := range map[string]any{"a Text": text, "a *Text": &text, "an empty Text": secret.Text{}} {
			got := fmt.Sprintf(verb, value)
			if verb == "%p" || verb == "%w" { // fmt does not ask the value
				if leaks(got) {
					t.Errorf("%s as %s is %q", name, verb, got)
				}
				continue
			}
			if got != "[redacted]" {
				t.Errorf("%s as %s is %q, want [redacted]", name, verb, got)
			}
		}
		if h := held(); leaks(fmt.Sprintf(verb, h)) || leaks(fmt.Sprintf(verb, &h)) || leaks(fmt.Sprintf(verb, []any{h})) {
			t.Errorf("%s prints the secret: %s", verb, fmt.Sprintf(verb, h))
		}
	}
	if got := fmt.Sprint(text) + fmt.Sprintln(text); got != "[redacted][redacted]\n" {
		t.Errorf("Sprint and Sprintln make %q", got)
	}
}

func TestAnErrorThatNamesASecretDoesNotTellIt(t *testing.T) {
	inner := fmt.Errorf("log in with %v", secret.New(clear))
	if got, want := fmt.Errorf("clone: %w", inner).Error(), "clone: log in with [redacted]"; got != want {
		t.Errorf("the error is %q, want %q", got, want)
	}
}

func TestLogsReadRedacted(t *testing.T) {
	text := secret.New(clear)
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log := slog.New(handler(&out)).With("with", text)
			log.Info("imported", "token", text, "pointer", &text, "struct", held(), slog.Group("group", "token", text))
			if leaks(out.String()) {
				t.Errorf("the log is %s", &out)
			}
			if got := strings.Count(out.String(), "[redacted]"); got < 4 {
				t.Errorf("[redacted] is %d times in %s", got, &out)
			}
		})
	}
}

func TestEncodersWriteRedacted(t *testing.T) {
	t.Run("JSON", func(t *testing.T) {
		out, err := json.Marshal(held())
		if err != nil {
			t.Fatal(err)
		}
		want := `{"Name":"app","Exported":"[redacted]","Pointer":"[redacted]","List":["[redacted]"],"ByName":{"a":"[redacted]"},"Any":"[redacted]"}`
		if string(out) != want {
			t.Errorf("JSON is %s, want %s", out, want)
		}
	})
	t.Run("JSON, as a key", func(t *testing.T) {
		out, err := json.Marshal(map[secret.Text]int{secret.New(clear): 1})
		if err != nil || string(out) != `{"[redacted]":1}` {
			t.Errorf("JSON is %s, %v", out, err)
		}
	})
	t.Run("XML", func(t *testing.T) {
		type request struct {
			Token secret.Text
			List  []secret.Text
		}
		out, err := xml.Marshal(request{secret.New(clear), []secret.Text{secret.New(clear)}})
		if err != nil || leaks(string(out)) || strings.Count(string(out), "[redacted]") != 2 {
			t.Errorf("XML is %s, %v", out, err)
		}
	})
	t.Run("a template", func(t *testing.T) {
		var out strings.Builder
		err := template.Must(template.New("").Parse(`<a title="{{.}}">{{.}}</a><script>x = {{.}}</script>`)).Execute(&out, secret.New(clear))
		if err != nil || leaks(out.String()) || strings.Count(out.String(), "redacted") != 3 {
			t.Errorf("the page is %s, %v", out.String(), err)
		}
	})
	t.Run("gob has no way to write it", func(t *testing.T) {
		var out bytes.Buffer
		for _, value := range []any{secret.New(clear), struct{ Token secret.Text }{secret.New(clear)}} {
			if err := gob.NewEncoder(&out).Encode(value); err == nil || leaks(err.Error()) || leaks(out.String()) {
				t.Errorf("gob is %q, %v, want an error", &out, err)
			}
		}
	})
	t.Run("SQL has no way to store it", func(t *testing.T) {
		if value, err := driver.DefaultParameterConverter.ConvertValue(secret.New(clear)); err == nil || leaks(err.Error()) {
			t.Errorf("SQL stores %v, %v, want an error", value, err)
		}
	})
}

func TestRevealGivesTheSecretItself(t *testing.T) {
	for _, want := range []string{clear, "", " \n", "[redacted]", "\xff"} {
		text := secret.New(want)
		if got := text.Reveal(); got != want {
			t.Errorf("New(%q).Reveal() = %q", want, got)
		}
		if got := text.IsZero(); got != (want == "") {
			t.Errorf("New(%q).IsZero() = %t", want, got)
		}
	}
	if zero := (secret.Text{}); zero.Reveal() != "" || !zero.IsZero() {
		t.Errorf("the zero Text is %q", zero.Reveal())
	}
}

func TestAnEmptySecretCanBeLeftOutOfJSON(t *testing.T) {
	type request struct {
		Token secret.Text `json:"token,omitzero"`
	}
	for want, token := range map[string]secret.Text{`{}`: secret.New(""), `{"token":"[redacted]"}`: secret.New(clear)} {
		if out, err := json.Marshal(request{token}); err != nil || string(out) != want {
			t.Errorf("JSON is %s, %v, want %s", out, err, want)
		}
	}
}

func TestASecretIsReadFromAJSONString(t *testing.T) {
	for text, want := range map[string]string{
		`"hunter2"`: "hunter2", `"a\u00e9\n\""`: "aé\n\"", `""`: "", `null`: "", ` "x" `: "x", `"[redacted]"`: "[redacted]",
	} {
		got := secret.New("before")
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.Reveal() != want {
			t.Errorf("%s is read as %q, %v, want %q", text, got.Reveal(), err, want)
		}
	}
}

func TestErrorsOfReadingDoNotRepeatTheInput(t *testing.T) {
	for _, text := range []string{`5717171`, `true`, `["hunter2"]`, `{"hunter2": "ghp_0123"}`, `"hunter2`, `hunter2`, ``} {
		var got secret.Text
		direct := got.UnmarshalJSON([]byte(text))
		nested := json.Unmarshal([]byte(`{"token": `+text+`}`), &struct {
			Token *secret.Text `json:"token"`
		}{&got})
		for _, err := range []error{direct, nested} {
			if err == nil || leaks(err.Error()) || strings.Contains(err.Error(), "5717171") {
				t.Errorf("the error for %q is %v", text, err)
			}
		}
		if got.Reveal() != "" {
			t.Errorf("%q is read as %q", text, got.Reveal())
		}
	}
}

func TestACopyIsTheSameSecret(t *testing.T) {
	a := secret.New("first")
	b := a
	if err := json.Unmarshal([]byte(`"second"`), &b); err != nil {
		t.Fatal(err)
	}
	if a.Reveal() != "first" || b.Reveal() != "second" {
		t.Error("reading into a copy changed the secret it was copied from")
	}
}
