package gardenlinux

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// queryTree is a small directory of features.
func queryTree(t testing.TB, features map[string]string) *Features {
	t.Helper()
	dir := t.TempDir()
	for name, info := range features {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "info.yaml"), []byte(info), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := readDirectory(dir, dir, func(do func() error) error { return do() })
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

var smallTree = map[string]string{
	"kvm":  "{type: platform, features: {include: [base]}}",
	"base": "{type: element}",
	"_dev": "{type: flag, features: {exclude: [base]}}",
	"odd":  "{type: extension}",
}

// FuzzBatch holds batch to its promise: every line of the input has one line of
// answer, which is JSON and says either an error or a result.
func FuzzBatch(f *testing.F) {
	tree := queryTree(f, smallTree)
	f.Add([]byte(`{"cname": "kvm_dev-amd64-1"}` + "\n" + `{"features": ["odd", "kvm"], "ignore": ["x"]}`))
	f.Add([]byte("\n{}\n[]\n\xff\n{\"cname\": null}\n{\"features\": [null, \"kvm\"]}{\n"))
	f.Add([]byte(`{"features": {"a": [[[{}]]]}}` + "\r\n" + `{"CNAME": "kvm", "arch": "\ud800", "allow_frankenstein": 1}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		var out bytes.Buffer
		if err := answerAll(tree, Query{}, bytes.NewReader(src), &out); err != nil {
			t.Fatal(err)
		}
		want := bytes.Count(src, []byte("\n"))
		if len(src) > 0 && !bytes.HasSuffix(src, []byte("\n")) {
			want++
		}
		got := 0
		for line := range bytes.Lines(out.Bytes()) {
			got++
			var answer struct {
				Error    string
				Features []string
			}
			if err := json.Unmarshal(line, &answer); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			if (answer.Error == "") == (len(answer.Features) == 0) {
				t.Errorf("%q is neither an error nor a result", line)
			}
		}
		if got != want {
			t.Errorf("%d lines have %d answers", want, got)
		}
	})
}

func TestReadLineGoesOnBehindALongLine(t *testing.T) {
	in := bufio.NewReaderSize(strings.NewReader(strings.Repeat("x", 1000)+"\nshort\n"+strings.Repeat("y", 100)+"\nlast"), 16)
	var got []string
	for {
		line, err := readLine(in, 101)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errLongLine) {
			line = []byte("too long")
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(line))
	}
	if want := "too long|short|" + strings.Repeat("y", 100) + "|last"; strings.Join(got, "|") != want {
		t.Errorf("got %q", got)
	}
}

// TestBatchTakesLongNames asks with a name of a megabyte and with a hundred
// thousand names: neither may take long, nor come back at full length.
func TestBatchTakesLongNames(t *testing.T) {
	tree := queryTree(t, smallTree)
	many := "kvm" + strings.Repeat("-kvm", 100_000)
	var distinct strings.Builder
	distinct.WriteString("a")
	for i := range 100_000 {
		distinct.WriteString("-" + strings.Repeat("z", i%7) + string(rune('a'+i%26)) + "_" + strings.Repeat("q", i%31))
	}
	in := `{"cname": "` + strings.Repeat("a", 1<<20) + `"}` + "\n" + `{"cname": "` + many + `"}` + "\n" + `{"cname": "` + distinct.String() + `"}` + "\n"
	var out bytes.Buffer
	if err := answerAll(tree, Query{}, strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], "there is no feature") || !strings.Contains(lines[1], `"cname_base":"kvm"`) || !strings.Contains(lines[2], "there is no feature") {
		t.Errorf("the answers are %.2000q", lines)
	}
	if out.Len() > 2000 {
		t.Errorf("the answers have %d bytes", out.Len())
	}
}

// BenchmarkBatch answers queries on a tree as large as Garden Linux's. One
// operation is one query.
func BenchmarkBatch(b *testing.B) {
	features := map[string]string{}
	name := func(i int) string { return fmt.Sprintf("f%02d", i) }
	for i := range 80 {
		include := ""
		for j := 2*i + 1; j < min(2*i+4, 80); j++ {
			include += name(j) + ","
		}
		exclude := ""
		if i%10 == 3 {
			exclude = "fzz"
		}
		features[name(i)] = "{type: element, features: {include: [" + include + "], exclude: [" + exclude + "]}}"
	}
	features["fzz"] = "{type: flag}"
	features["kvm"] = "{type: platform, features: {include: [" + name(0) + ", fzz]}}"
	tree := queryTree(b, features)
	line := []byte(`{"cname": "kvm-` + name(40) + `-amd64-today"}`)
	if _, err := tree.Answer(line, Query{}); err != nil {
		b.Fatal(err)
	}
	in := bytes.Repeat(append(line, '\n'), 1000)
	b.ReportAllocs()
	for n := 0; n < b.N; n += 1000 {
		if err := answerAll(tree, Query{}, bytes.NewReader(in), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
}
