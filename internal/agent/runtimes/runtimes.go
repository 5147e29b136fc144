// Package runtimes chooses what a buildspec's runtime-versions ask for among
// what an image says that it can set up, in its runtimes.yml.
package runtimes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/buildspec"
	"slipway/internal/fault"
	"slipway/internal/lazy"
)

// Path of the file in an image.
const Path = "/codebuild/image/config/runtimes.yml"

// MaxSize is how long the file may be, in bytes.
const MaxSize = 1 << 20

// An Image is what one image can set up.
type Image struct {
	runtimes map[string]map[string]version // by runtime and version
}

type version struct {
	Commands []string            `yaml:"commands"`
	Requires map[string][]string `yaml:"requires"` // versions of other runtimes, any of which will do
}

// anyVersion is the key of what sets up versions that have no key.
const anyVersion = "default"

// Parse reads a runtimes.yml.
func Parse(text []byte) (Image, error) {
	var file struct {
		Runtimes map[string]struct {
			Versions map[string]version `yaml:"versions"`
		} `yaml:"runtimes"`
	}
	if len(text) > MaxSize {
		return Image{}, fmt.Errorf("it has more than %d bytes", MaxSize)
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return Image{}, err
	}
	image := Image{runtimes: map[string]map[string]version{}}
	for name, r := range file.Runtimes {
		image.runtimes[name] = r.Versions
	}
	return image, nil
}

// A Choice is one version of a runtime that is to be set up.
type Choice struct {
	Runtime, Version string
	Commands         []string
}

// Select returns what sets up the versions that are wanted, in their order, each
// after those that it requires. Variable returns the value of an environment
// variable. Lines are what CodeBuild's log says of it, also if there is an error,
// which is for the user who wrote the buildspec.
func Select(image Image, wanted []buildspec.Variable, variable func(name string) (string, bool)) (choices []Choice, lines []string, err error) {
	s := selection{image: image, versions: map[string]string{}}
	for _, w := range wanted {
		v, err := s.resolve(w, variable)
		if err != nil {
			return nil, s.lines, err
		}
		s.say("Selecting '%s' runtime version '%s' based on manual selections...", w.Name, v)
		s.versions[w.Name] = v
	}
	for _, w := range wanted {
		if _, err := image.find(w.Name, s.versions[w.Name]); err != nil {
			return nil, s.lines, err
		}
	}
	for _, w := range wanted {
		if err := s.choose(w.Name); err != nil {
			return nil, s.lines, err
		}
	}
	return s.choices, s.lines, nil
}

type selection struct {
	image    Image
	versions map[string]string // of the runtimes that are wanted or required
	choices  []Choice
	under    []string // the runtimes whose requirements are being chosen
	lines    []string
}

func (s *selection) say(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// reference is a value that is a variable's.
var reference = lazy.Regexp(`^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})$`)

// resolve returns the version that w means: latest and N.x are the highest there
// are, and a variable is its value.
func (s *selection) resolve(w buildspec.Variable, variable func(string) (string, bool)) (string, error) {
	want := w.Value
	if m := reference().FindStringSubmatch(want); m != nil {
		name := cmp.Or(m[1], m[2])
		value, ok := variable(name)
		if !ok || value == "" {
			return "", fault.New(fault.Invalid, "The variable %s, which runtime-versions names for %s, has no value", name, w.Name)
		}
		s.say("Resolved '%s' runtime alias '%s' to '%s'.", w.Name, want, value)
		want = value
	}
	var fits func(key string) bool
	if major, ok := strings.CutSuffix(want, ".x"); ok {
		fits = func(key string) bool { return key == major || strings.HasPrefix(key, major+".") }
	} else if want == "latest" {
		fits = func(string) bool { return true }
	} else {
		return want, nil
	}
	highest := ""
	for _, key := range s.image.versions(w.Name) { // in order
		if fits(key) {
			highest = key
		}
	}
	if highest == "" {
		return want, nil
	}
	s.say("Resolved '%s' runtime alias '%s' to '%s'.", w.Name, want, highest)
	return highest, nil
}

// versions returns the versions of a runtime that have a key, lowest first.
func (i Image) versions(name string) []string {
	keys := slices.SortedFunc(maps.Keys(i.runtimes[name]), compare)
	return slices.DeleteFunc(keys, func(key string) bool { return key == anyVersion })
}

// plain is a version that commands can be given.
var plain = lazy.Regexp(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)

// find returns what sets up a version.
func (i Image) find(name, v string) (version, error) {
	versions, ok := i.runtimes[name]
	if !ok {
		return version{}, fault.New(fault.Invalid, "Unknown runtime named '%s'. This build image has the following runtimes: %s", name, strings.Join(slices.Sorted(maps.Keys(i.runtimes)), ", "))
	}
	if found, ok := versions[v]; ok && v != anyVersion {
		return found, nil
	}
	other, ok := versions[anyVersion]
	if !ok || !plain().MatchString(v) {
		return version{}, fault.New(fault.Invalid, "Unknown runtime version named '%s' of %s. This build image has the following versions: %s", v, name, strings.Join(i.versions(name), ", "))
	}
	commands := make([]string, len(other.Commands))
	for n, c := range other.Commands {
		commands[n] = strings.NewReplacer("${VERSION}", v, "$VERSION", v).Replace(c)
	}
	other.Commands = commands
	return other, nil
}

// choose adds the choice of a runtime whose version is settled, after those that
// it requires.
func (s *selection) choose(name string) error {
	if slices.ContainsFunc(s.choices, func(c Choice) bool { return c.Runtime == name }) {
		return nil
	}
	if slices.Contains(s.under, name) {
		return fault.New(fault.Invalid, "The runtimes of this build image require each other in a circle")
	}
	s.under = append(s.under, name)
	defer func() { s.under = s.under[:len(s.under)-1] }()
	v := s.versions[name]
	found, err := s.image.find(name, v)
	if err != nil {
		return err
	}
	for _, other := range slices.Sorted(maps.Keys(found.Requires)) {
		good := found.Requires[other]
		if len(good) == 0 {
			continue
		}
		have, settled := s.versions[other]
		switch {
		case !settled:
			s.versions[other] = good[0]
			s.say("Selecting '%s' runtime version '%s' based on the dependencies of '%s' runtime version '%s'...", other, good[0], name, v)
		case !slices.Contains(good, have):
			s.say("Runtime '%s' version '%s' has a dependency on runtime '%s', but '%s' version '%s' has already been manually selected. Not attempting to override.", name, v, other, other, have)
			return fault.New(fault.Invalid, "Conflicting runtime versions: %s %s requires %s %s, and %s is selected", name, v, other, strings.Join(good, " or "), have)
		}
		if err := s.choose(other); err != nil {
			return err
		}
	}
	s.choices = append(s.choices, Choice{Runtime: name, Version: v, Commands: found.Commands})
	return nil
}

var numbers = lazy.Regexp(`[0-9]+`)

// compare orders versions by their numbers, and those that have the same by
// their text.
func compare(a, b string) int {
	return cmp.Or(slices.CompareFunc(numbers().FindAllString(a, -1), numbers().FindAllString(b, -1), func(x, y string) int {
		n, _ := strconv.ParseUint(x, 10, 64) // what is too large is the largest
		m, _ := strconv.ParseUint(y, 10, 64)
		return cmp.Compare(n, m)
	}), strings.Compare(a, b))
}
