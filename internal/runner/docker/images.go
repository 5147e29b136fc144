package docker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"

	"slipway/internal/runner"
)

// curated is what names of CodeBuild's own images begin with. No registry has
// them under these names.
const curated = "aws/codebuild/"

// published is where AWS publishes its images of Amazon Linux. It publishes
// none of Ubuntu.
const published = "public.ecr.aws/codebuild/"

// IsCurated reports whether name is one of CodeBuild's own images.
func IsCurated(name string) bool { return strings.HasPrefix(name, curated) }

// Images say which image is meant by the name of one. The zero value knows
// CodeBuild's images of Amazon Linux, as AWS publishes them.
type Images struct {
	entries []entry
}

// An entry maps a name, or all that begin like it.
type entry struct {
	name   string // before the *, if it ends in one
	prefix bool
	image  string // a * in it stands for the rest of the name
}

// ParseImages reads entries of the form NAME=IMAGE. A NAME may end in *, which
// stands for anything, also for the * in IMAGE; NAME * alone means all curated
// images. An entry for the very name beats one with a *, a longer one beats a
// shorter one, and a later one the same before.
func ParseImages(entries []string) (Images, error) {
	var all Images
	for _, text := range entries {
		name, image, ok := strings.Cut(text, "=")
		name, image = strings.TrimSpace(name), strings.TrimSpace(image)
		if !ok || name == "" || image == "" {
			return Images{}, fmt.Errorf("%q is no mapping of an image: NAME=IMAGE is expected, such as aws/codebuild/standard:7.0=registry.example.com/build:7", text)
		}
		e := entry{name: name, image: image}
		if e.name, e.prefix = strings.CutSuffix(name, "*"); strings.Contains(e.name, "*") {
			return Images{}, fmt.Errorf("%q: a * is for the end of a name", text)
		}
		if strings.Count(image, "*") > 1 || strings.Contains(image, "*") && !e.prefix {
			return Images{}, fmt.Errorf("%q: a * in the image stands for the rest of a name that ends in *", text)
		}
		if _, err := reference.ParseNormalizedNamed(strings.ReplaceAll(image, "*", "x")); err != nil {
			return Images{}, fmt.Errorf("%q: %w", text, err)
		}
		all.entries = append(all.entries, e)
	}
	return all, nil
}

// ReadImages reads entries from a file: one a line, # begins a comment.
func ReadImages(r io.Reader) ([]string, error) {
	var entries []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text != "" {
			entries = append(entries, text)
		}
	}
	return entries, lines.Err()
}

// Mapped returns the image that an entry gives for a name.
func (m Images) Mapped(name string) (image string, ok bool) {
	best := -1
	for _, e := range m.entries {
		rest, fits := strings.CutPrefix(name, e.name)
		if !fits || !e.prefix && rest != "" || e.prefix && e.name == "" && !IsCurated(name) {
			continue
		}
		weight := 2 * len(e.name)
		if !e.prefix {
			weight++ // as long, and with nothing open
		}
		if weight >= best {
			best, image, ok = weight, strings.ReplaceAll(e.image, "*", rest), true
		}
	}
	return image, ok
}

// Entries returns what is mapped: names, and the image of each.
func (m Images) Entries() [][2]string {
	var all [][2]string
	for _, e := range m.entries {
		name := e.name
		if e.prefix {
			name += "*"
		}
		all = append(all, [2]string{name, e.image})
	}
	return all
}

// Len returns how many entries there are.
func (m Images) Len() int { return len(m.entries) }

// Resolve returns the image that a project's name means: what an entry says,
// where AWS publishes it, or itself. Otherwise it is a *runner.Failure.
func (m Images) Resolve(name string) (reference.Named, error) {
	image, ok := m.Mapped(name)
	if !ok {
		image = name
		if own, isCurated := strings.CutPrefix(name, curated); isCurated {
			if !strings.HasPrefix(own, "amazonlinux") {
				return nil, unpullable(fmt.Sprintf("%s is not published by AWS. Whoever runs this server says which image stands for it: slipway serve --docker-image '%s=IMAGE', "+
					"or '*=IMAGE' for all of CodeBuild's own images", name, name), nil)
			}
			image = published + own
		}
	}
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil, unpullable(fmt.Sprintf("%s is no name of an image: %v", image, err), err)
	}
	return reference.TagNameOnly(ref), nil
}

// unpullable is CodeBuild's word for an image that does not come.
func unpullable(reason string, err error) *runner.Failure {
	if err == nil {
		err = errors.New(reason)
	}
	return &runner.Failure{
		Code:    "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
		Message: "Unable to pull customer's container image. CannotPullContainerError: " + reason,
		Err:     err,
	}
}
