package build_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestNothingIsChangedOnTheWay: no function changes a value that it is given. What
// was read is the same after it was resolved, and both are after the plan was made
// and run; the same again gives the same.
func TestNothingIsChangedOnTheWay(t *testing.T) {
	for dir, name := range map[string]string{treetest.Shipped(t): "debian-testing-amd64-dev", "../e2e/testdata/trees/packages": "a-amd64"} {
		t.Run(name, func(t *testing.T) { unchanged(t, dir, name) })
	}
}

func unchanged(t *testing.T, dir, name string) {
	tree := t.TempDir()
	for _, part := range []string{"features", "flavours"} {
		if _, err := os.Stat(dir + "/" + part); err != nil {
			continue
		}
		if err := os.CopyFS(tree+"/"+part, os.DirFS(dir+"/"+part)); err != nil {
			t.Fatal(err)
		}
	}
	b := open(t, tree)
	project, _, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	read := dump(project)
	var resolved, planned string
	for again := range 2 {
		subject, err := b.Resolve(context.Background(), project, name)
		if err != nil {
			t.Fatal(err)
		}
		if difference := differs(dump(project), read); difference != "" {
			t.Fatalf("resolving changes what was read: %s", difference)
		}
		spec := dump(subject.Spec)
		if again == 0 {
			resolved = spec
		} else if difference := differs(spec, resolved); difference != "" {
			t.Errorf("resolved again it is another: %s", difference)
		}
		p, err := b.Prepare(context.Background(), subject, &recorder{})
		if err != nil {
			t.Fatal(err)
		}
		graph, packages := dump(p.Graph), dump(p.Packages)
		if again == 0 {
			planned = graph
		} else if difference := differs(graph, planned); difference != "" {
			t.Errorf("planned again it is another: %s", difference)
		}
		if _, err := b.Run(context.Background(), p, &recorder{}, p.Graph.Targets()); err != nil {
			t.Fatal(err)
		}
		for what, pair := range map[string][2]string{
			"what was read": {dump(project), read}, "the spec": {dump(subject.Spec), spec}, "the packages": {dump(p.Packages), packages}, "the plan": {dump(p.Graph), graph},
		} {
			if difference := differs(pair[0], pair[1]); difference != "" {
				t.Errorf("planning and running changes %s: %s", what, difference)
			}
		}
		p.Close()
	}
}

// differs shows where two texts differ, "" if they do not.
func differs(now, before string) string {
	if now == before {
		return ""
	}
	a, b := strings.Split(now, "\n"), strings.Split(before, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is %s, was %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, were %d", len(a), len(b))
}

// dump writes all that can be reached from a value, unexported fields too, a part
// a line.
func dump(v any) string {
	d := dumper{met: map[uintptr]int{}}
	d.value("", reflect.ValueOf(v))
	return d.text.String()
}

type dumper struct {
	text strings.Builder
	met  map[uintptr]int // by address, the pointers that were met
}

func (d *dumper) value(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.Kind() == reflect.Pointer && !v.IsNil() {
			if n, ok := d.met[v.Pointer()]; ok {
				fmt.Fprintf(&d.text, "%s = pointer %d\n", path, n)
				return
			}
			d.met[v.Pointer()] = len(d.met)
		}
		if v.IsNil() {
			fmt.Fprintf(&d.text, "%s = nil\n", path)
			return
		}
		d.value(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			d.value(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			fmt.Fprintf(&d.text, "%s = %q\n", path, fmt.Sprint(v))
			return
		}
		fmt.Fprintf(&d.text, "%s has %d\n", path, v.Len())
		for i := range v.Len() {
			d.value(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		fmt.Fprintf(&d.text, "%s has %d\n", path, len(keys))
		for _, k := range keys {
			d.value(fmt.Sprintf("%s[%v]", path, k), v.MapIndex(k))
		}
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
	default:
		text, _ := json.Marshal(fmt.Sprint(v))
		fmt.Fprintf(&d.text, "%s = %s\n", path, text)
	}
}
