package layer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// DataSum identifies what [Store.PackData] writes: its SHA-256 (hexadecimal digits), and its size in bytes.
type DataSum struct {
	SHA256 string
	Size   int64
}

// dataSumFile keeps the DataSum of a result. It saves time only.
const dataSumFile = "datasum"

func (d DataSum) format() []byte {
	return fmt.Appendf(nil, "%d %s %d\n", packFormat, d.SHA256, d.Size)
}

// parseDataSum reads what format wrote. ok is false for damaged text, and for the DataSum of another packFormat.
func parseDataSum(text []byte) (d DataSum, ok bool) {
	format := 0
	n, _ := fmt.Sscanf(string(text), "%d %s %d\n", &format, &d.SHA256, &d.Size)
	return d, n == 3 && format == packFormat && len(d.SHA256) == 2*sha256.Size
}

// SumOf returns what identifies that which write writes.
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
