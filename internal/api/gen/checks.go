package main

import (
	"fmt"
	"strconv"
	"strings"
)

// checks writes one check function for every input structure that has, or
// holds, a constraint of the model.
func (g *generator) checks() {
	needed := map[string]bool{}
	for changed := true; changed; {
		changed = false
		for name, s := range g.model.Shapes {
			if s.Type == "structure" && !s.Exception && g.uses[name].input && !needed[name] && g.constrained(s, needed) {
				needed[name], changed = true, true
			}
		}
	}
	for _, name := range sorted(needed) {
		g.printf("func check%s(c *%s, at *%s, in *%s) {\n", name, g.shared("Checker"), g.shared("Path"), name)
		s := g.model.Shapes[name]
		for _, member := range sorted(s.Members) {
			g.member(name, s, member, needed)
		}
		g.printf("}\n\n")
	}
	g.needed = needed
}

func (g *generator) constrained(s shape, needed map[string]bool) bool {
	for member, ref := range s.Members {
		if s.requires(member) || g.shapeConstrained(ref.Shape, needed) {
			return true
		}
	}
	return false
}

func (g *generator) shapeConstrained(name string, needed map[string]bool) bool {
	if needed[name] {
		return true
	}
	s := g.model.Shapes[name]
	if s.Type == "list" && g.shapeConstrained(s.Member.Shape, needed) {
		return true
	}
	return !worded[name] && (s.Min != nil || s.Max != nil || s.Pattern != "" || len(s.Enum) > 0)
}

func (g *generator) member(structure string, s shape, member string, needed map[string]bool) {
	ref := s.Members[member]
	target := g.model.Shapes[ref.Shape]
	field := "in." + goName(member)
	path := "at.Field(" + strconv.Quote(member) + ")"
	required := s.requires(member)
	if g.memberType(structure, member, ref, required) == "secret.Text" {
		return // the operation words its own error, and no check may print a secret
	}
	switch target.Type {
	case "structure":
		switch {
		case required && needed[ref.Shape]:
			g.printf("if p := %s; %s == nil { c.Null(p) } else { check%s(c, &p, %s) }\n", path, field, ref.Shape, field)
		case required:
			g.printf("if %s == nil { c.Null(%s) }\n", field, path)
		case needed[ref.Shape]:
			g.printf("if p := %s; %s != nil { check%s(c, &p, %s) }\n", path, field, ref.Shape, field)
		}
	case "list":
		if required {
			g.printf("if %s == nil { c.Null(%s) }\n", field, path)
		}
		g.list(ref.Shape, target, field, path, needed)
	case "map", "timestamp", "blob":
	default:
		g.scalar(ref.Shape, target, field, path, required)
	}
}

func (g *generator) list(name string, s shape, field, path string, needed map[string]bool) {
	if !worded[name] && (s.Min != nil || s.Max != nil) {
		g.printf("if %s != nil { c.Count(%s, len(%s), %s) }\n", field, path, field, bounds(s))
	}
	if !g.shapeConstrained(s.Member.Shape, needed) {
		return
	}
	element := g.model.Shapes[s.Member.Shape]
	g.printf("for i := range %s {\n p := %s.Element(i)\n", field, path)
	switch element.Type {
	case "structure":
		g.printf("check%s(c, &p, &%s[i])\n", s.Member.Shape, field)
	case "list":
		g.listOf(element, field+"[i]", needed)
	default:
		g.scalar(s.Member.Shape, element, field+"[i]", "p", true)
	}
	g.printf("}\n")
}

// listOf checks a list inside a list; the model has one level of that (filterGroups).
func (g *generator) listOf(s shape, field string, needed map[string]bool) {
	if needed[s.Member.Shape] {
		g.printf("for j := range %s { q := p.Element(j); check%s(c, &q, &%s[j]) }\n", field, s.Member.Shape, field)
	}
}

// scalar checks a string or number: its presence if it is required, and its
// bounds, enumeration and pattern if it is there.
func (g *generator) scalar(name string, s shape, field, path string, required bool) {
	isEnum := len(s.Enum) > 0
	value := field
	if !required && !isEnum {
		value = "*" + field
	}
	rules := g.rules(name, s, value, path)
	present := field + " != nil"
	switch {
	case required && s.Type == "string" && (isEnum || (s.Min != nil && *s.Min > 0)):
		g.printf("if %s == \"\" { c.Null(%s) }", field, path)
		if rules != "" {
			g.printf(" else {\n%s}", rules)
		}
		g.printf("\n")
		return
	case rules == "":
		return
	case required && !isEnum:
		g.printf("%s", rules)
		return
	case isEnum:
		present = field + ` != ""`
	}
	g.printf("if %s {\n%s}\n", present, rules)
}

// rules returns the statements that hold a present value against its shape.
func (g *generator) rules(name string, s shape, value, path string) string {
	if worded[name] {
		return ""
	}
	if len(s.Enum) > 0 {
		return fmt.Sprintf("c.Enum(%s, string(%s), %s)\n", path, value, quoteAll(s.Enum))
	}
	var b strings.Builder
	if s.Min != nil || s.Max != nil {
		switch s.Type {
		case "string":
			fmt.Fprintf(&b, "c.Length(%s, %s, %s)\n", path, value, bounds(s))
		case "integer", "long", "double":
			fmt.Fprintf(&b, "c.Range(%s, float64(%s), %s)\n", path, value, bounds(s))
		}
	}
	if s.Pattern != "" {
		fmt.Fprintf(&b, "c.Pattern(%s, %s, %q)\n", path, value, s.Pattern)
	}
	return b.String()
}

// bounds prints min and max; -1 stands for none.
func bounds(s shape) string {
	print := func(v *float64) string {
		if v == nil {
			return "-1"
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	return print(s.Min) + ", " + print(s.Max)
}

func quoteAll(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	return strings.Join(quoted, ", ")
}
