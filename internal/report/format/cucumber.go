package format

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"slipway/internal/report"
)

// A cucumber reads the JSON of Cucumber and of what speaks Gherkin like it:
//
//	[ { name, uri, elements: [ { type, keyword, name, line, steps: [ { result: { status, duration, error_message } } ], before, after } ] } ]
//
// A scenario is a case. Its background, which stands before it as an element of
// its own, is a part of it.
type cucumber struct {
	*document
	tests *report.Tests
	file  string

	feature    string
	scenarios  []report.Case // of the feature that is open, until its name is known
	background scenario
}

// A scenario is an element of a feature.
type scenario struct {
	kind, keyword, name string
	line                float64
	status              report.Status
	ran                 bool
	duration            time.Duration
	message             string
}

func readCucumber(x *Results, r *bufio.Reader, path string) error {
	c := &cucumber{document: newDocument(r), tests: &x.Tests, file: path}
	err := c.arrayIn(c.readFeature)
	c.endFeature()
	return c.explain(err)
}

func (c *cucumber) readFeature() error {
	c.feature, c.background = "", scenario{}
	err := c.objectIn(func(name string) (err error) {
		switch name {
		case "name":
			c.feature, err = c.text()
		case "elements":
			err = c.arrayIn(c.readElement)
		default:
			err = c.skip()
		}
		return err
	})
	if err != nil {
		return err // the cases of the feature are read even so
	}
	c.endFeature()
	return nil
}

// endFeature adds the scenarios of a feature, whose name may follow them.
func (c *cucumber) endFeature() {
	for _, s := range c.scenarios {
		s.Suite, s.Prefix = c.feature, c.feature
		c.tests.Add(s)
	}
	c.scenarios = nil
}

func (c *cucumber) readElement() error {
	s := scenario{status: report.Succeeded}
	err := c.objectIn(func(name string) (err error) {
		switch name {
		case "type":
			s.kind, err = c.text()
		case "keyword":
			s.keyword, err = c.text()
		case "name":
			s.name, err = c.text()
		case "line":
			s.line, _, err = c.number()
		case "before", "after":
			err = c.arrayIn(func() error { return c.readStep(&s, true) })
		case "steps":
			err = c.arrayIn(func() error { return c.readStep(&s, false) })
		default:
			err = c.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	if s.kind == "background" || s.kind == "" && strings.EqualFold(s.keyword, "background") {
		c.background = s
		return nil
	}
	b := c.background
	c.background = scenario{}
	if b.kind != "" || b.keyword != "" {
		s.add(b.status, b.message)
		s.ran = s.ran || b.ran
		s.duration = plus(s.duration, b.duration)
	}
	name := s.name
	if strings.EqualFold(s.keyword, "scenario outline") && s.line > 0 {
		name = fmt.Sprintf("%s (line %.0f)", name, s.line) // all rows of the examples have one name
	}
	if !s.ran && s.status == report.Succeeded { // nothing is what passes
		s.status = report.Skipped
	}
	c.scenarios = append(c.scenarios, report.Case{File: c.file, Name: report.Cut(name, report.MaxName), Status: s.status, Duration: s.duration, Message: s.message})
	if len(c.scenarios) == 2*report.MaxCases { // or a feature could hold any number of them
		c.endFeature()
	}
	return nil
}

// readStep adds a step, or a hook, to s. Steps have hooks too.
func (c *cucumber) readStep(s *scenario, hook bool) error {
	var keyword, name, status, failure string
	var duration float64
	err := c.objectIn(func(member string) (err error) {
		switch member {
		case "keyword":
			keyword, err = c.text()
		case "name":
			name, err = c.text()
		case "before", "after":
			err = c.arrayIn(func() error { return c.readStep(s, true) })
		case "result":
			err = c.objectIn(func(member string) (err error) {
				switch member {
				case "status":
					status, err = c.text()
				case "error_message":
					failure, err = c.text()
				case "duration": // nanoseconds
					duration, _, err = c.number()
				default:
					err = c.skip()
				}
				return err
			})
		default:
			err = c.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	s.duration = plus(s.duration, scaled(fmt.Sprint(duration), time.Nanosecond))
	step := strings.TrimSpace(keyword) + " " + strings.TrimSpace(name)
	switch strings.ToLower(status) {
	case "passed":
		s.ran = true
	case "failed":
		s.ran = true
		if hook {
			s.add(report.Errored, failure)
		} else {
			s.add(report.Failed, step+"\n"+failure)
		}
	case "undefined":
		s.add(report.Unknown, "There is no definition of the step: "+step)
	case "pending":
		s.add(report.Unknown, "The definition of the step is not written yet: "+step+"\n"+failure)
	case "ambiguous":
		s.add(report.Errored, "Several definitions fit the step: "+step+"\n"+failure)
	case "skipped":
		s.add(report.Skipped, failure)
	}
	return nil
}

// outranks orders what a step makes of its scenario.
var outranks = map[report.Status]int{report.Succeeded: 0, report.Skipped: 1, report.Unknown: 2, report.Failed: 3, report.Errored: 4}

func (s *scenario) add(status report.Status, message string) {
	if outranks[status] > outranks[s.status] {
		s.status, s.message = status, report.Cut(strings.TrimSpace(message), report.MaxMessage)
	}
}

// looksLikeCucumber reports whether an array is one of features: its first
// value has elements, and before that only what features have.
func looksLikeCucumber(d *document) bool {
	if t, err := d.next(); err != nil || t != json.Delim('{') {
		return false
	}
	found := false
	_ = d.object(func(name string) error {
		switch name {
		case "elements":
			found = true
			return errKnown
		case "uri", "id", "keyword", "name", "description", "line", "tags", "comments", "metadata", "type":
			return d.skip()
		}
		return errKnown
	})
	return found
}
