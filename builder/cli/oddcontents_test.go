package cli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// many joins what f gives for each number below n.
func many(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// manyFiles is a tree of n files.
func manyFiles(n int, name string, text func(i int) string) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf(name, i)] = text(i)
	}
	return files
}

func numbered(format string) func(int) string {
	return func(i int) string { return fmt.Sprintf(format, i) }
}

func locals(lines string) map[string]string {
	return map[string]string{"flavours/x.hcl": "locals {\n" + lines + "\n}\n"}
}

func yamlFlavour(text string) map[string]string { return map[string]string{"flavours/x.yaml": text} }

func baseInfo(text string) map[string]string {
	return map[string]string{"features/base/info.yaml": text}
}

// list makes a local l of n elements.
func list(n int) string { return "l = [" + many(n, numbered(`"%d", `)) + "]\n" }

const flavourOfBase = "flavour \"x%d\" {\n  distribution { suite = \"testing\" }\n  features = [\"base\"]\n}\n"

// slowTrees are made to take long, or much memory. Each did, except for some that
// are there as their likes did.
var slowTrees = map[string]func() map[string]string{
	"exponent": func() map[string]string { return locals("a = 1e99999999 + 1") },
	"power": func() map[string]string {
		return locals("a0 = 1e300\n" + many(200, func(i int) string { return fmt.Sprintf("a%d = local.a%d * local.a%[2]d\n", i+1, i) }) + "b = \"${local.a200}\"")
	},
	"digits": func() map[string]string { return locals("a = " + strings.Repeat("9", 400_000)) },
	"loops": func() map[string]string {
		return locals(list(1000) + "a = [for a in local.l: [for b in local.l: [for c in local.l: [for d in local.l: \"${a}${b}\"]]]]")
	},
	"many loops": func() map[string]string {
		return locals(list(3000) + many(2000, numbered("a%d = [for a in local.l: a]\n")))
	},
	"flatten": func() map[string]string {
		return locals(list(100) + "a = flatten([for a in local.l: flatten([for b in local.l: flatten([for c in local.l: flatten([for d in local.l: [a, b, c, d]])])])])")
	},
	"doubling": func() map[string]string {
		return locals("l0 = [1, 1]\n" + many(60, func(i int) string { return fmt.Sprintf("l%d = [local.l%d, local.l%[2]d]\n", i+1, i) }) + "a = flatten(local.l60)")
	},
	"try": func() map[string]string {
		return locals("a = " + strings.Repeat("try(", 45) + "1" + strings.Repeat(")", 45))
	},
	"width": func() map[string]string { return locals(`a = format("%999999999d", 1)`) },
	"format": func() map[string]string {
		return locals("s = \"" + strings.Repeat("x", 100_000) + "\"\na = format(\"" + strings.Repeat("%[1]s", 20_000) + "\", local.s)")
	},
	"replace": func() map[string]string {
		return locals("s = \"" + strings.Repeat("x", 100_000) + "\"\na = replace(local.s, \"x\", local.s)")
	},
	"join": func() map[string]string {
		return locals("s = \"" + strings.Repeat("x", 100_000) + "\"\na = join(local.s, [" + strings.Repeat(`"a", `, 3000) + "])")
	},
	"distinct": func() map[string]string { return locals(list(3000) + many(300, numbered("a%d = distinct(local.l)\n"))) },
	"template": func() map[string]string {
		return locals("s = \"" + strings.Repeat("x", 100_000) + "\"\na = \"" + strings.Repeat("${local.s}", 20_000) + "\"")
	},
	"chain": func() map[string]string {
		return locals("a0 = 1\n" + many(20_000, func(i int) string { return fmt.Sprintf("a%d = local.a%d\n", i+1, i) }))
	},
	"back chain": func() map[string]string {
		return locals(many(15_000, func(i int) string { return fmt.Sprintf("a%d = local.a%d\n", i, i+1) }) + "a15000 = 1")
	},
	"circle": func() map[string]string {
		return locals(many(4000, func(i int) string { return fmt.Sprintf("a%d = local.a%d\n", i, (i+1)%4000) }))
	},
	"lines": func() map[string]string { return locals("a = (" + strings.Repeat("!\n", 40_000) + "true)") },
	"large": func() map[string]string {
		return map[string]string{"flavours/x.hcl": strings.Repeat("# x\n", 150_000), "features/base/pkg.include": strings.Repeat("x\n", 600_000)}
	},
	"one line": func() map[string]string { return map[string]string{"flavours/x.hcl": strings.Repeat("x", 500_000)} },
	"signs": func() map[string]string {
		return map[string]string{"flavours/x.hcl": strings.Repeat("{}[]()\"${%{!?:", 30_000)}
	},
	"fields": func() map[string]string {
		return map[string]string{"flavours/x.hcl": "flavour \"x\" {\n" + many(20_000, numbered("f%d = 1\n")) + "}\n"}
	},
	"unknown": func() map[string]string { return locals("a = [" + many(20_000, numbered("local.b%d, ")) + "]") },
	"long matrix": func() map[string]string {
		return map[string]string{"flavours/x.hcl": "flavour \"x\" {\n  matrix = { a = [" + many(900, numbered(`"%d", `)) + "] }\n  name = \"x-${matrix.a}\"\n  description = \"" + strings.Repeat("y", 100_000) + "\"\n  distribution { suite = \"testing\" }\n  features = [\"base\"]\n}\n"}
	},
	"laughs": func() map[string]string {
		return yamlFlavour("x-a0: &a0 [x, x]\n" + many(60, func(i int) string { return fmt.Sprintf("x-a%d: &a%[1]d [*a%d, *a%[2]d]\n", i+1, i) }))
	},
	"flow":   func() map[string]string { return yamlFlavour(strings.Repeat("[", 400_000)) },
	"dashes": func() map[string]string { return yamlFlavour(strings.Repeat("- ", 200_000)) },
	"long line": func() map[string]string {
		return yamlFlavour("flavours: {" + many(12_000, numbered("x%d: {features: [ü]}, ")) + "}")
	},
	"long number": func() map[string]string { return yamlFlavour("locals: {a: " + strings.Repeat("9", 400_000) + "}") },
	"templates": func() map[string]string {
		return yamlFlavour("flavours:\n  x:\n    matrix: {a: [" + many(900, numbered("'%d', ")) + "]}\n    name: 'x-${matrix.a}'\n    distribution: {suite: testing}\n    features: [" + strings.Repeat("'${\"base\"}', ", 20_000) + "]\n")
	},
	"late fault": func() map[string]string { return yamlFlavour(many(40_000, numbered("a%d: 1\n")) + "  b: [") },
	"includes": func() map[string]string {
		return baseInfo("type: platform\nfeatures: {include: [" + many(40_000, numbered("f%d, ")) + "]}")
	},
	"parameters": func() map[string]string {
		return map[string]string{"features/base/info.yaml": "type: platform\nparameters: {" + many(9000, numbered("a%d: {}, ")) + "}", "features/base/exec.early": "#!/bin/sh\n" + many(60_000, numbered("$PARAM_A%d\n"))}
	},
	"product of lists": func() map[string]string {
		return map[string]string{"features/base/info.yaml": "type: platform\nparameters: {l: {type: list, default: [" + many(1000, numbered("v%d, ")) + "]}}", "features/base/pkg.include": "$l$l$l$l\n"}
	},
	"stat": func() map[string]string {
		return map[string]string{"features/base/file.include.stat": strings.Repeat("x\n", 500_000)}
	},
	"accounts": func() map[string]string { return map[string]string{"accounts": strings.Repeat("u x 1\n", 100_000)} },
	"features": func() map[string]string {
		return manyFiles(3000, "features/f%d/info.yaml", numbered("type: element # %d\n"))
	},
	"flavours": func() map[string]string { return manyFiles(3000, "flavours/f%d.hcl", numbered(flavourOfBase)) },
	"circles": func() map[string]string {
		return manyFiles(1500, "features/f%d/info.yaml", func(i int) string {
			return fmt.Sprintf("type: element\nfeatures: {include: [f%d, f%d, f%d]}", (i+1)%1500, (i+7)%1500, (i+77)%1500)
		})
	},
	"extends": func() map[string]string {
		return map[string]string{"flavours/x.hcl": many(1800, func(i int) string { return fmt.Sprintf("flavour \"x%d\" {\n  extends = \"x%d\"\n}\n", i, i+1) })}
	},
	"many in many": func() map[string]string {
		files := manyFiles(1500, "features/f%d/info.yaml", func(i int) string { return fmt.Sprintf("type: element\nfeatures: {include: [f%d]}", max(i-1, 0)) })
		files["features/f0/info.yaml"] = "type: element"
		maps.Copy(files, manyFiles(1500, "features/f%d/pkg.include", func(int) string { return strings.Repeat("abc\nabd\n", 20) }))
		files["flavours/x.hcl"] = many(1500, func(i int) string {
			return fmt.Sprintf("flavour \"x%d\" {\n  distribution { suite = \"testing\" }\n  features = [\"f%d\"]\n}\n", i, 1499-i%100)
		})
		return files
	},
}

// slowFeatures are such trees of Garden Linux's.
var slowFeatures = map[string]func() map[string]string{
	"merges": func() map[string]string {
		return baseInfo("x-a: &a {" + many(20_000, numbered("k%d: 1, ")) + "}\nx-b: {" + strings.Repeat("<<: *a, ", 20_000) + "z: 1}\ntype: platform")
	},
	"deep": func() map[string]string { return baseInfo(strings.Repeat("[", 9000) + strings.Repeat("]", 9000)) },
	"flavours": func() map[string]string {
		return map[string]string{"flavors.yaml": "targets: [{name: base, flavors: [" + strings.Repeat("{features: [base]}, ", 20_000) + "]}]"}
	},
	"script": func() map[string]string {
		return map[string]string{"features/base/exec.config": "#!/bin/bash\n" + strings.Repeat("sudo curl -k http://x | sh; systemctl start x; cat <<E\nx\nE\n", 4000)}
	},
	"heredocs": func() map[string]string {
		return map[string]string{"features/base/exec.config": "#!/bin/bash\n" + strings.Repeat("<<a ", 60_000)}
	},
	"words": func() map[string]string {
		return map[string]string{"features/base/image": "#!/bin/bash\n" + many(20_000, numbered("a%d=$1\n"))}
	},
	"helpers": func() map[string]string {
		files := manyFiles(2000, "features/base/h%d", func(i int) string { return fmt.Sprintf("#!/bin/bash\n/h%d\n", i+1) })
		files["features/base/exec.config"] = "#!/bin/bash\n/h0\n"
		return files
	},
	"circles": func() map[string]string {
		return manyFiles(1500, "features/f%d/info.yaml", func(i int) string {
			return fmt.Sprintf("type: element\nfeatures: {include: [f%d, f%d]}", (i+1)%1500, (i+7)%1500)
		})
	},
	"bad lines": func() map[string]string {
		return map[string]string{"features/base/pkg.include": strings.Repeat("$(( \n", 2000)}
	},
}

// TestOddContents checks trees that are made to take long. Nothing may break down,
// hang, or have too much of the memory; and what has a bound ends there, not in
// the net below ([command.bounded]).
func TestOddContents(t *testing.T) {
	try := func(name string, tree func() map[string]string, alone bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			files := map[string]string{"features/base/info.yaml": "type: platform\n"}
			maps.Copy(files, tree())
			for file, text := range files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			args := []string{"check", "--offline"}
			if !alone {
				if err := os.MkdirAll(filepath.Join(dir, "flavours"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			c := runCheckOn(t, dir, args...)
			if strings.Contains(c.text, "has been given up") {
				t.Errorf("no bound but the net holds it:\n%.500s", c.text)
			}
			if most := 1 << 20; len(c.text) > most {
				t.Errorf("it says %d bytes", len(c.text))
			}
			t.Logf("%s: exit code %d, %s of the processor, %d MiB\n%.200s", name, c.code, c.used, c.resident>>10, c.text)
		})
	}
	for name, tree := range slowTrees {
		try(name, tree, false)
	}
	for name, tree := range slowFeatures {
		try("features alone: "+name, tree, true)
	}
}
