package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

type generator struct {
	model   *model
	root    bool // the package is api itself, so shared names need no qualifier
	uses    map[string]use
	body    bytes.Buffer
	secrets bool            // the package needs the secret import
	needed  map[string]bool // input structures that have a check function
}

func (g *generator) printf(format string, args ...any) { fmt.Fprintf(&g.body, format, args...) }

// shared qualifies a name that lives in package api.
func (g *generator) shared(name string) string {
	if g.root {
		return name
	}
	return "api." + name
}

func (g *generator) types() {
	for _, name := range sorted(g.model.Shapes) {
		s := g.model.Shapes[name]
		switch {
		case s.Exception:
		case s.Type == "structure":
			g.structure(name, s)
		case s.Type == "string" && len(s.Enum) > 0:
			g.enum(name, s)
		}
	}
}

func (g *generator) enum(name string, s shape) {
	g.printf("// %s is an enumeration of the model.\ntype %s string\n\n// Values of %s.\nconst (\n", name, name, name)
	for _, v := range s.Enum {
		g.printf("\t%s%s %s = %q\n", name, enumName(v), name, v)
	}
	g.printf(")\n\n")
}

// structure writes a struct. A required scalar is a value, an optional one a
// pointer, because absence and zero differ on the wire; enumerations and
// timestamps are values whose zero is absence; lists and blobs keep empty apart
// from nil. What is sensitive in an input is a secret; that of a blob is its
// base64, as it travels.
func (g *generator) structure(name string, s shape) {
	g.printf("// %s is a structure of the model.\ntype %s struct {\n", name, name)
	for _, member := range sorted(s.Members) {
		ref := s.Members[member]
		required := s.requires(member)
		tag := member + ",omitzero"
		if required && isScalar(g.model.Shapes[ref.Shape]) {
			tag = member
		}
		g.printf("\t%s %s `json:%q`\n", goName(member), g.memberType(name, member, ref, required), tag)
	}
	g.printf("}\n\n")
}

func (g *generator) memberType(structure, member string, ref reference, required bool) string {
	s := g.model.Shapes[ref.Shape]
	if s.Sensitive && !g.uses[structure].output && !strings.HasSuffix(member, "Token") {
		g.secrets = true
		return "secret.Text"
	}
	t := g.goType(ref.Shape)
	switch {
	case s.Type == "structure":
		return "*" + t
	case isScalar(s) && len(s.Enum) == 0 && s.Default == nil && !required:
		return "*" + t
	}
	return t
}

func isScalar(s shape) bool {
	switch s.Type {
	case "string", "integer", "long", "double", "boolean":
		return true
	}
	return false
}

func (g *generator) goType(name string) string {
	s := g.model.Shapes[name]
	switch s.Type {
	case "structure":
		return name
	case "string":
		if len(s.Enum) > 0 {
			return name
		}
		return "string"
	case "integer":
		return "int"
	case "long":
		return "int64"
	case "double":
		return "float64"
	case "boolean":
		return "bool"
	case "timestamp":
		return g.shared("Timestamp")
	case "blob":
		return "[]byte"
	case "list":
		return "[]" + g.goType(s.Member.Shape)
	case "map":
		return "map[string]" + g.goType(s.Value.Shape)
	}
	panic("gen: shape " + name + " has unknown type " + s.Type)
}

// initialisms are written in capitals in Go names.
var initialisms = map[string]string{
	"Arn": "ARN", "Arns": "ARNs", "Cpu": "CPU", "Dns": "DNS", "Id": "ID", "Ids": "IDs", "Kms": "KMS", "Md5": "MD5",
	"Sha256": "SHA256", "Ssh": "SSH", "Ssl": "SSL", "Ssm": "SSM", "Uri": "URI", "Url": "URL", "Uuid": "UUID", "Vpc": "VPC",
}

// goName turns a member's wire name into an exported Go name: cloudWatchLogsArn
// becomes CloudWatchLogsARN.
func goName(member string) string {
	var words []string
	start := 0
	runes := []rune(member)
	for i := 1; i <= len(runes); i++ {
		if i == len(runes) || (unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1])) {
			words = append(words, string(runes[start:i]))
			start = i
		}
	}
	var b strings.Builder
	for _, w := range words {
		w = strings.ToUpper(w[:1]) + w[1:]
		if capital, ok := initialisms[w]; ok {
			w = capital
		}
		b.WriteString(w)
	}
	return b.String()
}

// enumName turns a wire value into the tail of a constant's name: PRE_BUILD
// becomes PreBuild.
func enumName(value string) string {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if strings.ToUpper(w) != w {
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
			continue
		}
		b.WriteString(w[:1] + strings.ToLower(w[1:]))
	}
	return b.String()
}
