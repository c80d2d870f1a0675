package config

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
)

// decode does what [gohcl.DecodeBody] does for the structs of this package, whose attributes
// are all kept as they are written. gohcl reads the tags of a struct at each block again,
// which took a sixth of the time of checking a large tree.
func decode(b hcl.Body, into any) hcl.Diagnostics {
	return decodeBody(b, reflect.ValueOf(into).Elem())
}

// decoding is how a struct is filled in: numbers of fields, -1 for none.
type decoding struct {
	schema                 *hcl.BodySchema
	body, remain, defRange int
	attributes, blocks     map[string]int
	labels, labelRanges    []int
}

// decodings are by [reflect.Type].
var decodings sync.Map

func decodingOf(t reflect.Type) *decoding {
	if d, ok := decodings.Load(t); ok {
		return d.(*decoding)
	}
	d := &decoding{body: -1, remain: -1, defRange: -1, attributes: map[string]int{}, blocks: map[string]int{}}
	d.schema, _ = gohcl.ImpliedBodySchema(reflect.New(t).Interface())
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("hcl")
		if tag == "" {
			continue
		}
		switch name, kind, _ := strings.Cut(tag, ","); kind {
		case "optional":
			d.attributes[name] = i
		case "block":
			d.blocks[name] = i
		case "label":
			d.labels = append(d.labels, i)
		case "label_range":
			d.labelRanges = append(d.labelRanges, i)
		case "body":
			d.body = i
		case "remain":
			d.remain = i
		case "def_range":
			d.defRange = i
		default:
			panic(fmt.Sprintf("config: %s.%s: nothing decodes fields of the kind %q", t, t.Field(i).Name, kind))
		}
	}
	decodings.Store(t, d)
	return d
}

func decodeBody(b hcl.Body, v reflect.Value) hcl.Diagnostics {
	d := decodingOf(v.Type())
	var content *hcl.BodyContent
	var diags hcl.Diagnostics
	if d.remain < 0 {
		content, diags = b.Content(d.schema)
	} else {
		var rest hcl.Body
		content, rest, diags = b.PartialContent(d.schema)
		attributes, ds := rest.JustAttributes()
		diags = append(diags, ds...)
		v.Field(d.remain).Set(reflect.ValueOf(attributes))
	}
	if d.body >= 0 {
		v.Field(d.body).Set(reflect.ValueOf(b))
	}
	for name, attribute := range content.Attributes {
		v.Field(d.attributes[name]).Set(reflect.ValueOf(attribute))
	}
	for _, block := range content.Blocks {
		field := v.Field(d.blocks[block.Type])
		many := field.Kind() == reflect.Slice
		t := field.Type()
		if many {
			t = t.Elem()
		}
		one := reflect.New(t.Elem())
		diags = append(diags, decodeBlock(block, one.Elem())...)
		if many {
			field.Set(reflect.Append(field, one))
		} else {
			field.Set(one) // the body lets one through
		}
	}
	return diags
}

func decodeBlock(block *hcl.Block, v reflect.Value) hcl.Diagnostics {
	diags := decodeBody(block.Body, v)
	d := decodingOf(v.Type())
	for i, label := range block.Labels {
		v.Field(d.labels[i]).SetString(label)
		v.Field(d.labelRanges[i]).Set(reflect.ValueOf(block.LabelRanges[i]))
	}
	if d.defRange >= 0 {
		v.Field(d.defRange).Set(reflect.ValueOf(block.DefRange))
	}
	return diags
}
