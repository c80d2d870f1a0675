package report

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// measuring is a page that shows another one in a frame, and notes when it is there how wide its content
// is, what sticks out, and its colours.
const measuring = `<!DOCTYPE html><body style="margin:0"><iframe id="f" src="report.html" style="border:0;width:%dpx;height:3000px"></iframe><pre id="out"></pre><script>
f.onload = () => {
  const d = f.contentDocument, root = d.documentElement, wide = root.clientWidth
  const inside = e => e.closest(".scroll, .map, .times")
  const out = [...d.body.querySelectorAll("*")].filter(e => !inside(e) && e.getBoundingClientRect().right > wide + 1)
  // Texts of one kind that are drawn over each other.
  const over = list => { const r = [...list].map(e => e.getBoundingClientRect()).filter(b => b.width); return r.filter((a, i) => r.some((b, k) => k < i && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length }
  for (const e of d.querySelectorAll(".times .took")) if (e.getBoundingClientRect().left < e.parentElement.getBoundingClientRect().left) out.push(e)
  const crossed = over(d.querySelectorAll(".tick span")) + over(d.querySelectorAll(".map .tile > span, .map .title")) + over(d.querySelectorAll(".times .name, .times .took"))
  const light = c => c.match(/\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 3
  const body = getComputedStyle(d.body)
  document.getElementById("out").textContent = "measured " + [root.scrollWidth, wide, out.length, crossed, d.body.innerText.length, light(body.backgroundColor), light(body.color)].join(" ")
}
</script>`

// A browser shows the page on a screen and on a phone, in light and dark, with nothing that sticks
// out, and text that can be told from its ground.
func TestBrowser(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		treetest.Skip(t, "needs chromium, the Debian package of this name: it looks at the page in a browser")
	}
	dir := t.TempDir()
	var page bytes.Buffer
	if err := Write(&page, sample()); err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("report.html", page.Bytes())
	for _, width := range []int{1280, 390} {
		for _, dark := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/dark=%v", width, dark), func(t *testing.T) {
				write("measure.html", fmt.Appendf(nil, measuring, width))
				show := func(args ...string) []byte {
					args = append([]string{"--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files",
						"--user-data-dir=" + filepath.Join(dir, "profile"), fmt.Sprintf("--window-size=%d,3000", max(width, 500))}, args...)
					if dark {
						args = append([]string{"--blink-settings=preferredColorScheme=0"}, args...)
					} else {
						args = append([]string{"--blink-settings=preferredColorScheme=1"}, args...)
					}
					cmd := exec.Command(browser, args...)
					cmd.Env = append(os.Environ(), "HOME="+dir)
					var stderr bytes.Buffer
					cmd.Stderr = &stderr
					out, err := cmd.Output()
					if err != nil {
						t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, stderr.String())
					}
					return out
				}
				dom := show("--virtual-time-budget=5000", "--dump-dom", "file://"+filepath.Join(dir, "measure.html"))
				m := regexp.MustCompile(`measured (\d+) (\d+) (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)`).FindSubmatch(dom)
				if m == nil {
					t.Fatalf("the browser measured nothing:\n%s", dom)
				}
				var scroll, wide, out, crossed, text int
				var ground, ink float64
				if _, err := fmt.Sscan(strings.TrimPrefix(string(m[0]), "measured "), &scroll, &wide, &out, &crossed, &text, &ground, &ink); err != nil {
					t.Fatal(err)
				}
				if wide != width || scroll > wide || out != 0 {
					t.Errorf("the page is %d wide on a screen of %d, and %d elements stick out", scroll, wide, out)
				}
				if crossed != 0 {
					t.Errorf("%d texts are drawn over others", crossed)
				}
				if text < 800 {
					t.Errorf("the page shows only %d characters", text)
				}
				if dark != (ground < 80) || dark != (ink > 160) {
					t.Errorf("dark is %v, but the ground is %.0f and the text %.0f", dark, ground, ink)
				}
				shot := filepath.Join(dir, "shot.png")
				show("--screenshot="+shot, "file://"+filepath.Join(dir, "report.html"))
				picture(t, shot)
			})
		}
	}
}

// picture checks that a picture shows more than one colour.
func picture(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	colours := map[[3]uint32]bool{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 3 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 3 {
			r, g, b, _ := img.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}] = true
		}
	}
	if len(colours) < 20 {
		t.Errorf("the picture has only %d colours", len(colours))
	}
}
