// The language as the HCL library of Go has it: reads one case a line (JSON) and answers each with one line, in the form of
// ../answers.cc. See ../run.py.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

type testCase struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

type answer struct {
	Value    any      `json:"value,omitempty"`
	Problems []string `json:"problems,omitempty"`
	Panic    string   `json:"panic,omitempty"`
}

func lines(diags hcl.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		place := "<nil>"
		if d.Subject != nil {
			place = d.Subject.String()
		}
		out = append(out, fmt.Sprintf("%s: %s; %s", place, d.Summary, d.Detail))
	}
	return out
}

func typeName(t cty.Type) any {
	switch {
	case t == cty.DynamicPseudoType:
		return "dynamic"
	case t == cty.String:
		return "string"
	case t == cty.Number:
		return "number"
	case t == cty.Bool:
		return "bool"
	case t.IsListType():
		return []any{"list", typeName(t.ElementType())}
	case t.IsSetType():
		return []any{"set", typeName(t.ElementType())}
	case t.IsMapType():
		return []any{"map", typeName(t.ElementType())}
	case t.IsTupleType():
		out := []any{"tuple"}
		for _, e := range t.TupleElementTypes() {
			out = append(out, typeName(e))
		}
		return out
	case t.IsObjectType():
		of := map[string]any{}
		for name, e := range t.AttributeTypes() {
			of[name] = typeName(e)
		}
		return []any{"object", of}
	}
	return "other"
}

func encode(v cty.Value) any {
	t := v.Type()
	if !v.IsKnown() {
		return map[string]any{"unknown": typeName(t)}
	}
	if v.IsNull() {
		return map[string]any{"null": typeName(t)}
	}
	switch {
	case t == cty.String:
		return v.AsString()
	case t == cty.Number:
		return map[string]any{"number": v.AsBigFloat().Text('f', -1)}
	case t == cty.Bool:
		return v.True()
	case t.IsListType(), t.IsSetType(), t.IsTupleType():
		items := []any{}
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			items = append(items, encode(e))
		}
		if t.IsSetType() {
			sort.Slice(items, func(a, b int) bool { return text(items[a]) < text(items[b]) })
		}
		return []any{typeName(t), items}
	case t.IsMapType(), t.IsObjectType():
		items := map[string]any{}
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			items[k.AsString()] = encode(e)
		}
		return []any{typeName(t), items}
	}
	return "other"
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func variables() map[string]cty.Value {
	n := cty.NumberIntVal
	s := cty.StringVal
	return map[string]cty.Value{
		"n":    cty.MustParseNumberVal("7"),
		"half": cty.MustParseNumberVal("0.5"),
		"s":    s("text"),
		"t":    cty.True,
		"nul":  cty.NullVal(cty.DynamicPseudoType),
		"nuls": cty.NullVal(cty.String),
		"list": cty.ListVal([]cty.Value{s("a"), s("b"), s("c")}),
		"nums": cty.ListVal([]cty.Value{n(3), n(1), n(2)}),
		"none": cty.ListValEmpty(cty.String),
		"set":  cty.SetVal([]cty.Value{s("y"), s("x")}),
		"map":  cty.MapVal(map[string]cty.Value{"k": s("v"), "l": s("w")}),
		"tup":  cty.TupleVal([]cty.Value{n(1), s("two"), cty.False}),
		"obj":  cty.ObjectVal(map[string]cty.Value{"a": n(1), "b": s("bee"), "c": cty.ListVal([]cty.Value{n(1), n(2)})}),
		"objs": cty.ListVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"id": s("i")}), cty.ObjectVal(map[string]cty.Value{"id": s("j")})}),
		"unk":  cty.DynamicVal,
		"unks": cty.UnknownVal(cty.String),
		"unkl": cty.UnknownVal(cty.List(cty.String)),
		"unkm": cty.UnknownVal(cty.Map(cty.Number)),
	}
}

func evaluate(expr hcl.Expression, ctx *hcl.EvalContext) answer {
	value, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return answer{Problems: lines(diags)}
	}
	return answer{Value: encode(value)}
}

var schema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "a"}, {Name: "b"}, {Name: "count"}, {Name: "must", Required: true}},
	Blocks: []hcl.BlockHeaderSchema{
		{Type: "plain"}, {Type: "named", LabelNames: []string{"name"}}, {Type: "twice", LabelNames: []string{"kind", "name"}}},
}

// A body by the schema, which holds at every level; an error anywhere is all that counts then.
func decode(body hcl.Body, ctx *hcl.EvalContext) (any, hcl.Diagnostics) {
	content, diags := body.Content(schema)
	attributes := map[string]any{}
	for _, known := range schema.Attributes {
		attr, ok := content.Attributes[known.Name]
		if !ok {
			continue
		}
		value, more := attr.Expr.Value(ctx)
		diags = append(diags, more...)
		attributes[known.Name] = encode(value)
	}
	blocks := []any{}
	for _, block := range content.Blocks {
		inner, more := decode(block.Body, ctx)
		diags = append(diags, more...)
		labels := []any{}
		for _, label := range block.Labels {
			labels = append(labels, label)
		}
		blocks = append(blocks, []any{block.Type, labels, inner})
	}
	return map[string]any{"attributes": attributes, "blocks": blocks}, diags
}

func solve(c testCase) (out answer) {
	defer func() {
		if r := recover(); r != nil {
			out = answer{Panic: fmt.Sprint(r)}
		}
	}()
	ctx := &hcl.EvalContext{Variables: variables(), Functions: functions()}
	src := []byte(c.Text)
	switch c.Kind {
	case "expression", "template":
		parse := hclsyntax.ParseExpression
		if c.Kind == "template" {
			parse = hclsyntax.ParseTemplate
		}
		expr, diags := parse(src, "case", hcl.InitialPos)
		if diags.HasErrors() {
			return answer{Problems: lines(diags)}
		}
		return evaluate(expr, ctx)
	case "body", "json":
		var file *hcl.File
		var diags hcl.Diagnostics
		if c.Kind == "json" {
			file, diags = hcljson.Parse(src, "case")
		} else {
			file, diags = hclsyntax.ParseConfig(src, "case", hcl.InitialPos)
		}
		if diags.HasErrors() {
			return answer{Problems: lines(diags)}
		}
		value, diags := decode(dynblock.Expand(file.Body, ctx), ctx)
		if diags.HasErrors() {
			return answer{Problems: lines(diags)}
		}
		return answer{Value: value}
	}
	panic("unknown kind " + c.Kind)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var c testCase
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			panic(err)
		}
		fmt.Fprintln(out, text(solve(c)))
	}
}
