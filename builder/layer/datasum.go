package layer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// DataSum identifies packed data by their SHA-256 (64 hexadecimal digits) and size in bytes; see [Store.PackData].
type DataSum struct {
	SHA256 string
	Size   int64
}

// dataSumFile is the file with the DataSum of a result. It only saves time.
const dataSumFile = "datasum"

func (d DataSum) format() []byte {
	return fmt.Appendf(nil, "%d %s %d\n", packFormat, d.SHA256, d.Size)
}

// parseDataSum reads the text of format. ok is false if it is damaged, or has another packFormat.
func parseDataSum(text []byte) (d DataSum, ok bool) {
	format := 0
	n, _ := fmt.Sscanf(string(text), "%d %s %d\n", &format, &d.SHA256, &d.Size)
	return d, n == 3 && format == packFormat && len(d.SHA256) == 2*sha256.Size
}

// SumOf returns the digest and size of the bytes that write writes.
func SumOf(write func(w io.Writer) error) (DataSum, error) {
	sum := sha256.New()
	count := &counter{w: sum}
	err := write(count)
	return DataSum{hex.EncodeToString(sum.Sum(nil)), count.n}, err
}

// counter counts the bytes that are written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
