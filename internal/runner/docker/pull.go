package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"slipway/internal/fault"
	"slipway/internal/runner"
)

// How long a pull may be silent: it gives up then.
const (
	silence      = 5 * time.Minute
	shortSilence = 15 * time.Second // if there is an image to use instead
)

// sayEvery is how often a pull tells how far it is.
const sayEvery = 5 * time.Second

// An Image is one that the engine has.
type Image struct {
	Ref string // as it is called
	ID  string // its digest
}

// note is the line of the log that says which image a project's name came to.
func (i Image) note(name string) string {
	short := i.ID
	if _, digits, ok := strings.Cut(i.ID, ":"); ok && len(digits) > 12 {
		short = digits[:12]
	}
	if i.Ref == name {
		return fmt.Sprintf("Image %s (%s)", name, short)
	}
	return fmt.Sprintf("Image %s is %s (%s)", name, i.Ref, short)
}

// provide returns the image of a launch. It pulls one that is not there, and
// one whose tag is latest, since that moves, unless it was made here.
func (r *Runner) provide(ctx context.Context, l runner.Launch) (Image, error) {
	ref, err := r.options.Images.Resolve(l.Image)
	if err != nil {
		return Image{}, err
	}
	name := reference.FamiliarString(ref)
	here, err := r.engine.find(ctx, name)
	if errdefs.IsInvalidArgument(err) {
		return Image{}, unpullable(oneLine(err.Error()), err)
	}
	if err != nil {
		return Image{}, fmt.Errorf("look for image %s: %w", name, err)
	}
	if here.ID != "" && (!latest(ref) || !here.pulled) {
		return here.Image, nil
	}
	auth, err := r.login(ctx, l, reference.Domain(ref))
	if err != nil {
		return Image{}, err
	}
	limit := silence
	if here.ID != "" {
		limit = shortSilence
	}
	err = r.engine.pull(ctx, name, auth, limit, l.Say)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return Image{}, ctx.Err()
	case client.IsErrConnectionFailed(err):
		return Image{}, fmt.Errorf("pull image %s: %w", name, err)
	case here.ID != "":
		l.Say(fmt.Sprintf("The image that is here is used: %s could not be pulled: %s", name, oneLine(err.Error())))
		return here.Image, nil
	default:
		return Image{}, unpullable(oneLine(err.Error()), err)
	}
	if here, err = r.engine.find(ctx, name); err != nil {
		return Image{}, fmt.Errorf("look for image %s: %w", name, err)
	}
	if here.ID == "" {
		return Image{}, unpullable(name+" came and is gone again", nil)
	}
	return here.Image, nil
}

func latest(ref reference.Named) bool {
	tagged, ok := ref.(reference.Tagged)
	_, pinned := ref.(reference.Digested)
	return ok && !pinned && tagged.Tag() == "latest"
}

// found is an image, with no ID if there is none.
type found struct {
	Image
	pulled bool // it came from a registry, or went to one
	size   int64
}

func (e *Engine) find(ctx context.Context, name string) (found, error) {
	ctx, cancel := context.WithTimeout(ctx, engineTime)
	defer cancel()
	got, err := e.client.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		return found{}, nil
	}
	if err != nil {
		return found{}, err
	}
	return found{Image{name, got.ID}, len(got.RepoDigests) > 0, got.Size}, nil
}

// Has reports whether the engine has an image, and its size in bytes.
func (e *Engine) Has(ctx context.Context, image string) (size int64, ok bool, err error) {
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return 0, false, err
	}
	f, err := e.find(ctx, reference.FamiliarString(reference.TagNameOnly(ref)))
	return f.size, f.ID != "", err
}

// pull pulls an image and says how far it is. It gives up when nothing has come
// for as long as limit.
func (e *Engine) pull(ctx context.Context, name, auth string, limit time.Duration, say func(string)) error {
	silent := fmt.Errorf("nothing came from the registry for %v", limit)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	alarm := time.AfterFunc(limit, func() { cancel(silent) })
	defer alarm.Stop()
	began := time.Now()
	say("Pulling image " + name)
	pulling, err := e.client.ImagePull(ctx, name, client.ImagePullOptions{RegistryAuth: auth})
	if err != nil {
		return because(ctx, silent, err)
	}
	defer pulling.Close()
	progress := newProgress()
	last, said := time.Now(), ""
	for m, err := range pulling.JSONMessages(ctx) {
		if err == nil && m.Error != nil {
			err = m.Error
		}
		if err != nil {
			return because(ctx, silent, err)
		}
		alarm.Reset(limit)
		progress.add(m)
		if time.Since(last) < sayEvery {
			continue
		}
		last = time.Now()
		if text := progress.String(); text != said && text != "" {
			said = text
			say("Pulling image " + name + ": " + text)
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	say(fmt.Sprintf("Pulled image %s in %v", name, time.Since(began).Round(100*time.Millisecond)))
	return nil
}

// because returns silent if that is why a pull failed.
func because(ctx context.Context, silent, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, silent) {
		return cause
	}
	return err
}

// progress is how far a pull is.
type progress struct {
	layers map[string]layer
}

type layer struct {
	current, total int64
	extracting     bool
}

func newProgress() *progress { return &progress{layers: map[string]layer{}} }

func (p *progress) add(m jsonstream.Message) {
	if m.ID == "" || len(p.layers) > 1000 {
		return
	}
	l := p.layers[m.ID]
	switch {
	case m.Status == "Downloading" && m.Progress != nil:
		l.current, l.total = m.Progress.Current, max(m.Progress.Total, m.Progress.Current)
	case m.Status == "Download complete", m.Status == "Verifying Checksum":
		l.current = l.total
	case m.Status == "Extracting":
		l.current, l.extracting = l.total, true
	case m.Status == "Pull complete", m.Status == "Already exists":
		l.current, l.extracting = l.total, false
	default:
		return
	}
	p.layers[m.ID] = l
}

// String is what there is to tell: "" if that is nothing yet.
func (p *progress) String() string {
	var current, total int64
	extracting := 0
	for _, l := range p.layers {
		current, total = current+l.current, total+l.total
		if l.extracting {
			extracting++
		}
	}
	const mb = 1_000_000
	switch {
	case total == 0:
		return ""
	case current == total && extracting > 0:
		return fmt.Sprintf("unpacking %d MB", (total+mb-1)/mb)
	}
	return fmt.Sprintf("%d of %d MB", current/mb, (total+mb-1)/mb)
}

// login returns the login to a registry as the engine wants it: that of the
// launch's RegistryCredential, or none.
func (r *Runner) login(ctx context.Context, l runner.Launch, host string) (string, error) {
	if l.RegistryCredential == "" {
		return "", nil
	}
	if r.options.Secret == nil {
		return "", unpullable(fmt.Sprintf("the registryCredential %s cannot be read: this server keeps no secrets", l.RegistryCredential), nil)
	}
	value, err := r.options.Secret(ctx, l)
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		message := fault.Message(err)
		if message == "" { // not the user's
			return "", fmt.Errorf("read the registryCredential %s: %w", l.RegistryCredential, err)
		}
		return "", unpullable(fmt.Sprintf("the registryCredential %s cannot be read: %s", l.RegistryCredential, message), err)
	}
	var login struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if json.Unmarshal([]byte(value.Reveal()), &login) != nil || login.Username == "" || login.Password == "" { // no detail: it is a secret
		return "", unpullable(fmt.Sprintf(`the registryCredential %s is not a secret of the form {"username": "…", "password": "…"}`, l.RegistryCredential), nil)
	}
	return authconfig.Encode(registry.AuthConfig{Username: login.Username, Password: login.Password, ServerAddress: host})
}

// oneLine is a text of somebody else's as part of a line.
func oneLine(text string) string {
	const most = 1000
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
