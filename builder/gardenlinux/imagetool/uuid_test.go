package imagetool

import (
	"strings"
	"testing"
)

// The values are what the Garden Linux builder's scripts give.
func TestUUIDs(t *testing.T) {
	if got, err := UUIDHash(strings.NewReader("abc")); err != nil || got != "ba7816bf-8f01-cfea-4141-40de5dae2223" {
		t.Errorf("%s, %v", got, err)
	}
	for what, c := range map[string]struct{ got, want string }{
		"disk":              {diskUUID, "548a386f-7e35-e144-edcc-434f72c026f9"},
		"partition":         {uuidOf("gardenlinux:1312.0:part_uuid:LABEL=EFI\n"), "7c99c2c2-0d29-0816-586b-a7f8301b49b4"},
		"ext4":              {uuidOf("gardenlinux:1312.0:partition:/:ext4:uuid"), "582c8737-8ebc-7e7d-01ed-6efabb79cafb"},
		"swap":              {uuidOf("swap:uuid"), "07c08af3-af0f-4657-aefb-08deecdeb3fa"},
		"volume identifier": {volumeID("vfat:uuid"), "3efef533"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", what, c.got, c.want)
		}
	}
}
