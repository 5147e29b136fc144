package main

// operations writes the service's descriptor: its target prefix and a row per operation.
func (g *generator) operations() {
	md := g.model.Metadata
	name := "Definition"
	if g.root {
		name = "CodeBuild"
	}
	g.printf("// %s describes %s: every operation of the model, built or not.\n", name, md.ServiceFullName)
	g.printf("var %s = &%s{\n\tName: %q,\n\tTargetPrefix: %q,\n\tOperations: map[string]*%s{\n",
		name, g.shared("Definition"), md.EndpointPrefix, md.TargetPrefix, g.shared("Operation"))
	for _, op := range sorted(g.model.Operations) {
		g.operation(op, g.model.Operations[op])
	}
	g.printf("\t},\n}\n")
}

func (g *generator) operation(name string, op operation) {
	in, out := op.Input.Shape, op.Output.Shape
	g.printf("%q: {\n\tName: %q,\n\tNew: func() any { return new(%s) },\n", name, name, in)
	if op.AuthType == "none" {
		g.printf("\tUnsigned: true,\n")
	}
	if g.needed[in] {
		g.printf("\tCheck: func(c *%s, in any) { check%s(c, &%s{}, in.(*%s)) },\n", g.shared("Checker"), in, g.shared("Path"), in)
	}
	g.printf("\tCall: func(ctx context.Context, service, in any) (any, error) {\n")
	g.printf("\t\ts, ok := service.(interface{ %s(context.Context, *%s) (*%s, error) })\n", name, in, out)
	g.printf("\t\tif !ok { return nil, %s }\n\t\treturn s.%s(ctx, in.(*%s))\n\t},\n", g.shared("ErrNotImplemented"), name, in)
	var names []string
	for _, e := range op.Errors {
		names = append(names, e.Shape)
	}
	if len(names) > 0 {
		g.printf("\tErrors: []string{%s},\n", quoteAll(names))
	}
	g.printf("},\n")
}
