package main

// model is the part of an AWS service model (botocore's service-2.json) that
// the generator reads.
type model struct {
	Metadata struct {
		APIVersion      string `json:"apiVersion"`
		ServiceFullName string `json:"serviceFullName"`
		TargetPrefix    string `json:"targetPrefix"`
		EndpointPrefix  string `json:"endpointPrefix"`
	} `json:"metadata"`
	Operations map[string]operation `json:"operations"`
	Shapes     map[string]shape     `json:"shapes"`
}

type operation struct {
	Input  reference   `json:"input"`
	Output reference   `json:"output"`
	Errors []reference `json:"errors"`
	// AuthType is "none" for what is called without a signature; all else is signed.
	AuthType string `json:"authtype"`
}

type reference struct {
	Shape string `json:"shape"`
}

type shape struct {
	Type      string               `json:"type"`
	Members   map[string]reference `json:"members"`
	Required  []string             `json:"required"`
	Member    reference            `json:"member"`
	Key       reference            `json:"key"`
	Value     reference            `json:"value"`
	Enum      []string             `json:"enum"`
	Min       *float64             `json:"min"`
	Max       *float64             `json:"max"`
	Pattern   string               `json:"pattern"`
	Sensitive bool                 `json:"sensitive"`
	Exception bool                 `json:"exception"`
	Default   any                  `json:"default"` // absence means this zero value, so no pointer is needed
}

func (s shape) requires(member string) bool {
	for _, r := range s.Required {
		if r == member {
			return true
		}
	}
	return false
}

// use says on which side of an operation a shape occurs.
type use struct{ input, output bool }

func usage(m *model) map[string]use {
	uses := map[string]use{}
	var visit func(name string, u use)
	visit = func(name string, u use) {
		have, seen := uses[name]
		next := use{have.input || u.input, have.output || u.output}
		if name == "" || (seen && next == have) {
			return
		}
		uses[name] = next
		s := m.Shapes[name]
		for _, member := range s.Members {
			visit(member.Shape, u)
		}
		visit(s.Member.Shape, u)
		visit(s.Value.Shape, u)
	}
	for _, op := range m.Operations {
		visit(op.Input.Shape, use{input: true})
		visit(op.Output.Shape, use{output: true})
	}
	return uses
}

// worded lists the shapes whose constraint the operations check themselves,
// because the service answers it with a sentence of its own in place of the
// generic ValidationException.
var worded = map[string]bool{
	"AuthType":                       true,
	"CacheModes":                     true,
	"ProjectArtifactsList":           true,
	"ProjectDescription":             true,
	"ProjectName":                    true,
	"ProjectSecondarySourceVersions": true,
	"ProjectSources":                 true,
	"SecurityGroupIds":               true,
	"SensitiveNonEmptyString":        true,
	"ServerType":                     true,
	"SourceType":                     true,
	"Subnets":                        true,
}
