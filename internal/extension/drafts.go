package extension

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"slipway/internal/api"
	"slipway/internal/api/slipway"
	"slipway/internal/buildspec"
	"slipway/internal/project"
)

// projectRules are the checks of CreateProject and UpdateProject.
type projectRules interface {
	// CreateFaults tells all that CreateProject would refuse; the caller is in ctx.
	CreateFaults(ctx context.Context, in *api.CreateProjectInput) ([]project.Fault, error)
	// UpdateFaults tells all that UpdateProject would refuse.
	UpdateFaults(ctx context.Context, in *api.UpdateProjectInput) ([]project.Fault, error)
}

// Drafts is the operations on what is not made yet. They store nothing. Its
// methods may be called from several goroutines.
type Drafts struct {
	projects projectRules
}

// NewDrafts returns the operations on drafts.
func NewDrafts(projects projectRules) *Drafts { return &Drafts{projects: projects} }

// LintBuildspec answers what is wrong with a buildspec, or odd about it, at most
// a hundred findings in the order of the text: an ERROR if no build can be made
// of it, a WARNING if it is read and does perhaps something else than it reads.
// Lines and columns are counted from 1, columns in characters; endColumn is
// behind the last one. A text that is too long is a finding, no failure.
func (s *Drafts) LintBuildspec(_ context.Context, in *slipway.LintBuildspecInput) (*slipway.LintBuildspecOutput, error) {
	out := &slipway.LintBuildspecOutput{Findings: []slipway.LintFinding{}}
	for _, f := range buildspec.Lint([]byte(in.Buildspec)) {
		level := slipway.LintLevelError
		if f.Level == buildspec.Odd {
			level = slipway.LintLevelWarning
		}
		out.Findings = append(out.Findings, slipway.LintFinding{
			Level: level, Message: f.Message, Line: f.Line, Column: f.Column, EndLine: f.EndLine, EndColumn: f.EndColumn,
		})
	}
	return out, nil
}

// CheckProject answers what is wrong with a request, the JSON that CreateProject
// or UpdateProject takes, with the member that each finding is about, such as
// source.location or environment.environmentVariables[2].name, lists counted
// from 0. There is an ERROR exactly if the operation would refuse the request
// now; an inline buildspec's findings are WARNINGs, since projects are made with
// any. What is no JSON, or has a value of the wrong type, is one finding that
// says where.
func (s *Drafts) CheckProject(ctx context.Context, in *slipway.CheckProjectInput) (*slipway.CheckProjectOutput, error) {
	name := "CreateProject"
	if in.Update {
		name = "UpdateProject"
	}
	operation := api.CodeBuild.Operations[name]
	request := operation.New()
	if err := json.Unmarshal([]byte(in.Request), request); err != nil {
		return &slipway.CheckProjectOutput{Findings: []slipway.ProjectFinding{unread(in.Request, err)}}, nil
	}
	out := &slipway.CheckProjectOutput{Findings: []slipway.ProjectFinding{}}
	var c api.Checker
	operation.Check(&c, request)
	for _, f := range c.Failures() {
		out.Findings = append(out.Findings, slipway.ProjectFinding{Level: slipway.LintLevelError, Member: f.Member, Message: f.Rule})
	}
	broken := len(out.Findings)
	var faults []project.Fault
	var source *api.ProjectSource
	var err error
	switch request := request.(type) {
	case *api.CreateProjectInput:
		source = request.Source
		faults, err = s.projects.CreateFaults(ctx, request)
	case *api.UpdateProjectInput:
		source = request.Source
		faults, err = s.projects.UpdateFaults(ctx, request)
	}
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		if !about(out.Findings[:broken], f.Member) {
			out.Findings = append(out.Findings, slipway.ProjectFinding{Level: slipway.LintLevelError, Member: f.Member, Message: f.Message})
		}
	}
	out.Findings = append(out.Findings, inline(source)...)
	return out, nil
}

// about reports whether some finding is about a member, a part of it or what it
// is a part of: what breaks a constraint breaks rules, too, for the same reason.
func about(all []slipway.ProjectFinding, member string) bool {
	for _, f := range all {
		if partOf(member, f.Member) || partOf(f.Member, member) {
			return true
		}
	}
	return false
}

func partOf(member, of string) bool {
	rest, ok := strings.CutPrefix(member, of)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// inline is the findings of a source's buildspec, if it holds one.
func inline(source *api.ProjectSource) []slipway.ProjectFinding {
	const member = "source.buildspec"
	if source == nil {
		return nil
	}
	text := ""
	if source.Buildspec != nil {
		text = *source.Buildspec
	}
	if buildspec.PlaceOf(text) != buildspec.Inline {
		if source.Type == api.SourceTypeNoSource {
			return []slipway.ProjectFinding{{Level: slipway.LintLevelWarning, Member: member, Message: "A project without a source needs its buildspec inline: there is no file to read it from, so that its builds fail."}}
		}
		return nil
	}
	var all []slipway.ProjectFinding
	for _, f := range buildspec.Lint([]byte(text)) {
		message := f.Message
		if f.Line > 0 {
			message = fmt.Sprintf("Line %d: %s", f.Line, message)
		}
		all = append(all, slipway.ProjectFinding{Level: slipway.LintLevelWarning, Member: member, Message: message})
	}
	return all
}

// unread is the finding of a request that cannot be decoded. It repeats no
// value: it may be a secret.
func unread(text string, err error) slipway.ProjectFinding {
	f := slipway.ProjectFinding{Level: slipway.LintLevelError}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		line, column := position(text, e.Offset)
		f.Message = fmt.Sprintf("This is no JSON from line %d, column %d on: %s.", line, column, e.Error())
		return f
	}
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok { // a type of ours did not like its value
		f.Message = "A member has a value of the wrong type."
		return f
	}
	line, column := position(text, e.Offset)
	f.Member = e.Field
	if f.Message = fmt.Sprintf("The value that ends at line %d, column %d must be %s.", line, column, kind(e.Type)); e.Field == "" {
		f.Message = "The request must be a JSON object, in braces, as --cli-input-json takes it."
	}
	return f
}

// position returns the line and column, from 1, of the character that ends at
// an offset.
func position(text string, offset int64) (line, column int) {
	before := text[:max(0, min(int(offset)-1, len(text)))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}
