package serve

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

// measuring is a page that shows another one in a frame, and notes how wide its content is, what
// sticks out, how much text it shows, and how light its ground and its text are.
const measuring = `<!DOCTYPE html><body style="margin:0"><iframe id="f" src="index.html" style="border:0;width:%dpx;height:3000px"></iframe><pre id="out"></pre><script>
f.onload = () => {
  const d = f.contentDocument, root = d.documentElement, wide = root.clientWidth
  d.querySelectorAll("details").forEach(e => { e.open = true })
  const out = [...d.body.querySelectorAll("*")].filter(e => !(e.parentElement.closest(".scroll")) && e.getBoundingClientRect().right > wide + 1)
  const light = c => c.match(/\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 3
  const body = getComputedStyle(d.body)
  document.getElementById("out").textContent = "measured " + [root.scrollWidth, wide, out.length, d.body.innerText.length, light(body.backgroundColor), light(body.color)].join(" ")
}
</script>`

// TestBrowser: the page fits a screen and a telephone, in light and dark, with all of the history open.
func TestBrowser(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		treetest.Skip(t, "needs chromium, the Debian package of this name: it looks at the page in a browser")
	}
	long := "package-with-a-rather-long-name-that-has-no-blank-at-all 1:0.20261126.1234+really-long~deb13u1"
	past := []string{"bash 1", "bash 2\n" + long}
	for i := range 12 {
		past = append(past, fmt.Sprintf("bash 2.%d\nname<script> %d\n%s", i/2, i, long))
	}
	root, _ := site(t, past...)
	// Others have no repository, or nothing at all.
	writeManifest(t, root, "größe-with-a-long-name-that-has-no-blank-at-all-and-goes-on", artifact{Name: strings.Repeat("long", 30) + ".raw", Kind: "file", Size: 1 << 40, SHA256: sum("x"), Description: "the disk image"})
	write(t, filepath.Join(root, "größe-with-a-long-name-that-has-no-blank-at-all-and-goes-on", strings.Repeat("long", 30)+".raw"), "x")
	writeManifest(t, root, "nothing")
	h, _ := newHandler(t, root)
	dir := t.TempDir()
	page := h.list.html(view{base: "https://updates.example.org/" + strings.Repeat("long", 30), now: time.Now(), report: func(string) bool { return true }})
	if err := os.WriteFile(filepath.Join(dir, "index.html"), page, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{1280, 390} {
		for _, dark := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/dark=%v", width, dark), func(t *testing.T) {
				if err := os.WriteFile(filepath.Join(dir, "measure.html"), fmt.Appendf(nil, measuring, width), 0o644); err != nil {
					t.Fatal(err)
				}
				scheme := map[bool]string{true: "0", false: "1"}[dark]
				cmd := exec.Command(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files",
					"--user-data-dir="+filepath.Join(dir, "profile"), "--blink-settings=preferredColorScheme="+scheme,
					fmt.Sprintf("--window-size=%d,3000", max(width, 500)), "--virtual-time-budget=5000", "--dump-dom", "file://"+filepath.Join(dir, "measure.html"))
				cmd.Env = append(os.Environ(), "HOME="+dir)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				dom, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v\n%s", err, stderr.String())
				}
				m := regexp.MustCompile(`measured (\d+) (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)`).FindSubmatch(dom)
				if m == nil {
					t.Fatalf("the browser measured nothing:\n%s", dom)
				}
				var n [6]float64
				for i := range n {
					n[i], _ = strconv.ParseFloat(string(m[i+1]), 64)
				}
				if int(n[1]) != width || n[0] > n[1] || n[2] != 0 {
					t.Errorf("the page is %.0f wide on a screen of %d, and %.0f elements stick out", n[0], width, n[2])
				}
				if n[3] < 800 {
					t.Errorf("the page shows only %.0f characters", n[3])
				}
				if dark != (n[4] < 80) || dark != (n[5] > 160) {
					t.Errorf("dark is %v, but the ground is %.0f and the text %.0f", dark, n[4], n[5])
				}
			})
		}
	}
}
