package store

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"slipway/internal/project"
)

func TestAProjectIsWhatItsRowSays(t *testing.T) {
	dir := t.TempDir()
	here, there := open(t, dir).Projects(), open(t, dir).Projects()
	ctx := t.Context()
	must(t, here.Create(ctx, newProject("app", noon)))
	var readers sync.WaitGroup
	for n := range 20 {
		want := fmt.Sprint("image-", n)
		_, err := there.Update(ctx, scope, "app", func(p project.Project) (project.Project, error) {
			e := *p.Public.Environment
			e.Image = want
			p.Public.Environment = &e
			return p, nil
		})
		must(t, err)
		for range 4 {
			readers.Go(func() {
				got, err := here.Get(ctx, scope, "app")
				if err != nil || got.Public.Environment.Image != want {
					t.Errorf("after another process stored image %s, Get = %+v, %v", want, got.Public.Environment, err)
				}
			})
		}
		readers.Wait()
	}
}

func TestMemory(t *testing.T) {
	type record struct{ Text string }
	text := func(n, length int) string { return fmt.Sprintf(`{"Text":"%d%s"}`, n, strings.Repeat("x", length)) }
	var m memory[record]
	for n := range 3000 {
		for range 2 {
			got, err := m.decode(text(n, 1000))
			if want := fmt.Sprint(n, strings.Repeat("x", 1000)); err != nil || got.Text != want {
				t.Fatalf("record %d decodes to %+v, %v", n, got, err)
			}
		}
		size := 0
		for kept := range m.kept {
			size += len(kept)
		}
		if size == 0 || size != m.size || size > maxRemembered {
			t.Fatalf("after %d records %d bytes are kept, counted as %d; want at most %d", n, size, m.size, maxRemembered)
		}
	}
	if got, err := m.decode(text(0, maxRemembered)); err != nil || len(got.Text) <= maxRemembered || m.size > maxRemembered {
		t.Errorf("a record too large to keep is not decoded, or kept: %v, %d bytes", err, m.size)
	}
	if _, err := m.decode(`{"Text":`); err != errBroken {
		t.Errorf("half a record: error = %v, want %v", err, errBroken)
	}
}
