package vm

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/sandbox"
)

// Packages describes the test of packages that a machine adds to itself.
type Packages struct {
	// From is the image's commit, To the one after it, which Publish lets the machine see.
	From, To string
	Publish  func() error
	// Handler serves the built files, and makes images of packages. Images is the directory of these images, [extend.Dir].
	Handler http.Handler
	Images  string
	// SignedOnly reports that the machine merges signed images only, of which it cannot make any.
	SignedOnly bool
	// Mirrors are the hosts that the machine may get packages from.
	Mirrors []string
	// Settings is the URL that the machine gets images from if that does not follow from its remote; "" if it does.
	Settings string

	server imageServer
}

// ImageLimit is the time that the server may take for an image.
const ImageLimit = 15 * time.Minute

// TestedPackages are the packages that the machine asks the server for.
func TestedPackages(arch string) []string {
	return []string{aCommand, aDaemon, anEditor, oneMore, aKernel + arch, anInit}
}

// proxyListen is the address at which machines find the proxy, on [Host].
const proxyListen = "127.0.0.1:3128"

// Outlets are the outlets that the job of a machine needs for the test. The server listens on an address.
func (p *Packages) Outlets(listen string) []Outlet {
	return []Outlet{{listen, serverSocket}, {proxyListen, proxySocket}}
}

// open starts the servers; close ends them.
func (p *Packages) open(dir string) (shut func(), err error) {
	p.server = imageServer{handler: p.Handler, dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	mirrors, err := serveIn(dir, proxySocket, proxy(p.Mirrors))
	if err != nil {
		return nil, err
	}
	return func() { mirrors.Close(); _ = p.server.down() }, p.server.up()
}

// document reads the list of an image that the server has.
func (p *Packages) document(commit string, names ...string) (*extend.Document, error) {
	q := extend.Request{Commit: commit, Packages: names}
	text, err := os.ReadFile(filepath.Join(p.Images, q.DocumentFile()))
	if err != nil {
		return nil, err
	}
	return extend.Read(text, q)
}

// flip changes a byte in the middle of an image that the server has, and back when called again.
func (p *Packages) flip(d *extend.Document) error {
	f, err := os.OpenFile(filepath.Join(p.Images, d.ImageFile()), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], d.Size/2); err != nil {
		return err
	}
	b[0] ^= 0xff
	_, err = f.WriteAt(b[:], d.Size/2)
	return err
}

// settings has the machine find the server, if its remote does not lead there, and the sources of packages by way of the proxy. The
// archive that a test can reach may have signed its list of files too long ago.
func (p *Packages) settings() string {
	script := fmt.Sprintf(`printf 'Acquire::http::Proxy "http://%s%s";\nAcquire::Check-Valid-Until "false";\n' > /etc/apt/apt.conf.d/99treewright-test
`, Host, proxyListen[len("127.0.0.1"):])
	if p.Settings != "" {
		script += fmt.Sprintf("mkdir -p /etc/treewright\necho %s > /etc/treewright/added.json\n", sandbox.Quote(fmt.Sprintf(`{"server": %q}`, p.Settings)))
	}
	return script
}
