package agent

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"slipway/internal/agent/inside"
	"slipway/internal/agent/output"
	"slipway/internal/agentapi"
)

func TestWorkInThePlaceOfUserCode(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, wrapper := range []string{"", "/usr/bin/bwrap"} {
		t.Run("wrapper "+wrapper, func(t *testing.T) {
			launch := agentapi.Launch{Dir: t.TempDir(), Sandbox: agentapi.Sandbox{Bubblewrap: wrapper}}
			e := &engine{self: []string{self, "agent"}, launch: launch}
			if e.w, err = newWorkspace(launch); err != nil {
				t.Fatal(err)
			}
			defer e.w.root.Close()
			e.home = e.w.place("output")
			if e.place, e.startPlace, err = newPlace(self, launch, e.w); err != nil {
				t.Fatal(err)
			}
			defer e.place.End()
			if err := e.ready(); err != nil {
				t.Fatal(err)
			}
			e.log = output.New(e.place.Output, nil, func(uint64, []byte) error { return nil })
			go e.log.Run()
			go e.log.Copy()
			defer e.log.Close()

			var got map[string]string
			in := map[string]string{"text": "it's \"quoted\"\n"}
			if err := e.inside(inside.Ping, in, &got); err != nil || got["text"] != in["text"] {
				t.Fatalf("inside = %v, %v", got, err)
			}
			var p *problem
			if err := e.inside("nothing of the kind", in, &got); !errors.As(err, &p) {
				t.Errorf("an unknown duty: %v, want a problem", err)
			}
			// What user code leaves in the answer's place is not followed.
			if err := os.Symlink("/etc/passwd", filepath.Join(e.w.host, answerFile)); err != nil {
				t.Fatal(err)
			}
			if err := e.inside(inside.Ping, in, &got); err != nil || got["text"] != in["text"] {
				t.Errorf("with a link in its place, inside = %v, %v", got, err)
			}
			if err := e.inside(inside.Ping, make([]byte, inside.MaxRequest), &got); !errors.As(err, &p) {
				t.Errorf("a request that is too long: %v, want a problem", err)
			}
		})
	}
}
