package format

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"

	"slipway/internal/report"
)

// A simplecov reads what SimpleCov leaves of Ruby: .resultset.json, and the
// coverage.json that its newer versions write.
//
//	{ command: { coverage: { path: { lines: [ count | null | "ignored" ], branches: { condition: { branch: count } } } } } }
//	{ meta, coverage: { path: { lines, branches: [ { type, start_line, end_line, coverage } ] } } }
//
// Before version 0.18 a path led to the lines themselves. What several commands
// ran of a file is united.
type simplecov struct {
	*document
	coverage *report.Coverage
}

func readSimpleCov(coverage *report.Coverage, r *bufio.Reader) error {
	s := &simplecov{document: newDocument(r), coverage: coverage}
	return s.explain(s.objectIn(func(name string) error {
		switch name {
		case "coverage": // of coverage.json
			return s.objectIn(s.readFile)
		case "meta", "groups":
			return s.skip()
		}
		return s.objectIn(func(member string) error {
			if member != "coverage" {
				return s.skip()
			}
			return s.objectIn(s.readFile)
		})
	}))
}

func (s *simplecov) readFile(path string) error {
	f, err := s.coverage.File(path)
	if err != nil {
		return err
	}
	t, err := s.next()
	switch {
	case err != nil:
		return err
	case t == json.Delim('['):
		return s.array(s.liner(f))
	case t != json.Delim('{'):
		return nil
	}
	return s.object(func(member string) error {
		switch member {
		case "lines":
			return s.arrayIn(s.liner(f))
		case "branches":
			return s.readBranches(f)
		}
		return s.skip()
	})
}

// liner returns the function that reads the lines of f one by one.
func (s *simplecov) liner(f *report.File) func() error {
	number := int64(0)
	return func() error {
		number++
		count, ok, err := s.number()
		if err != nil || !ok { // no line that can be run
			return err
		}
		return f.Line(number, count > 0)
	}
}

func (s *simplecov) readBranches(f *report.File) error {
	t, err := s.next()
	switch {
	case err != nil:
		return err
	case t == json.Delim('{'):
		return s.object(func(condition string) error {
			return s.objectIn(func(branch string) error {
				count, _, err := s.number()
				if err != nil {
					return err
				}
				return f.Branches(place(condition, branch), taken(count), 1)
			})
		})
	case t != json.Delim('['):
		return nil
	}
	return s.array(func() error {
		var kind string
		var start, end, count float64
		counts := true
		err := s.objectIn(func(member string) (err error) {
			switch member {
			case "type":
				kind, err = s.text()
			case "start_line":
				start, _, err = s.number()
			case "end_line":
				end, _, err = s.number()
			case "coverage":
				count, counts, err = s.number()
			default:
				err = s.skip()
			}
			return err
		})
		if err != nil || !counts {
			return err
		}
		return f.Branches(place(fmt.Sprint(kind, " ", start), fmt.Sprint(end)), taken(count), 1)
	})
}

func taken(count float64) int64 {
	if count > 0 {
		return 1
	}
	return 0
}

// place names a branch by a number that is most likely its own.
func place(condition, branch string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(condition + "\x00" + branch))
	return h.Sum64()
}

// looksLikeSimpleCov reports whether an object is the result of a command, or
// the newer file.
func looksLikeSimpleCov(d *document) bool {
	found := false
	_ = d.object(func(name string) error {
		if name == "meta" {
			_ = d.objectIn(func(member string) error {
				found = member == "simplecov_version"
				return errKnown
			})
			return errKnown
		}
		_ = d.objectIn(func(member string) error {
			found = member == "coverage"
			return errKnown
		})
		return errKnown
	})
	return found
}
