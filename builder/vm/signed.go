package vm

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/treewright/treewright/builder/sandbox"
)

// refusal is something that a system does not merge.
type refusal struct {
	// name is that of the point, before that of the extension.
	name string
	// change makes it from $file, which is a copy of the good image $good.
	change string
	// reason is a pattern of grep -E for a line of the journal.
	reason string
}

// refusals returns all that are tried.
func (s *Signed) refusals() []refusal {
	return []refusal{
		// In the block of the superblock, but after it: without dm-verity it would be
		// mounted.
		{"flipped-byte", fmt.Sprintf(`printf '\377\000' | dd of="$file" bs=1 seek=%d conv=notrunc status=none`, s.DataAt+200), "detected corruption|Input/output error"},
		// A letter of the JSON's signature, near its end: the beginning has fields that
		// are not checked.
		{"flipped-signature", fmt.Sprintf(`length=$(dd if="$file" bs=4096 skip=%[1]d count=4 iflag=skip_bytes status=none | tr -d '\0' | wc -c)
at=$((%[1]d + length - 30))
old=$(dd if="$file" bs=1 skip=$at count=1 status=none)
new=A; [[ $old != A ]] || new=B
printf %%s $new | dd of="$file" bs=1 seek=$at conv=notrunc status=none`, s.SignatureAt), "Failed to merge hierarchies"},
		{"strange-signature", fmt.Sprintf(`base64 --decode <<< %s | dd of="$file" bs=4096 seek=%d oflag=seek_bytes conv=notrunc status=none`, base64.StdEncoding.EncodeToString(s.Strange), s.SignatureAt), "Failed to merge hierarchies"},
		{"unsigned", fmt.Sprintf(`dd if="$good" of="$file.new" bs=4096 skip=%d iflag=skip_bytes status=none
mv "$file.new" "$file"`, s.DataAt), "does not match image policy"},
		{"directory", `rm "$file"
mkdir -p "/var/lib/extensions/$name/usr"`, "is a directory, and this machine merges signed images only"},
	}
}

// refused checks that each of the refusals is not merged in place of an extension, then merges
// the extension again.
func (s *Scenario) refused(ctx context.Context, e Extension) {
	for _, r := range e.Signed.refusals() {
		s.point(ctx, "extension", r.name+"-refused-"+e.Name, false, func() error {
			journal, err := s.output(ctx, "systemd-sysext", fmt.Sprintf(refusedScript, sandbox.Quote(e.Name), r.change, sandbox.Quote(r.reason)))
			if err == nil {
				s.Report.Note("%s", journal)
			}
			return err
		})
	}
	s.point(ctx, "extension", "merged-again-"+e.Name, false, func() error {
		return s.script(ctx, "systemd-sysext", fmt.Sprintf(mergedAgain, sandbox.Quote(e.Name))+mergedScript(e.Name))
	})
}

// refusedScript merges by the unit, as a boot does.
const refusedScript = `
name=%[1]s
file=/var/lib/extensions/$name.raw good=/var/tmp/$name.good
[[ -e $good ]] || cp "$file" "$good"
rm -rf "/var/lib/extensions/$name" "$file"
cp "$good" "$file"
%[2]s
if cmp --quiet "$good" "$file"; then
	echo "nothing was changed"
	exit 1
fi
systemctl stop systemd-sysext.service
systemctl reset-failed systemd-sysext.service || true
since=$(date +%%s)
if systemctl start systemd-sysext.service; then
	systemd-sysext status
	echo "it was merged, or ignored without an error"
	exit 1
fi
journal=$(journalctl --boot --unit=systemd-sysext.service --since="@$since" --output=cat)
systemctl reset-failed systemd-sysext.service
if ! grep --quiet --extended-regexp -- %[3]s <<< "$journal"; then
	echo "it was refused, for another reason:"
	echo "$journal"
	exit 1
fi
grep --invert-match --extended-regexp '^(Starting|Finished|Stopp|Deactivated|systemd-sysext.service: (Main|Control) process|Failed to start)' <<< "$journal" || true
`

// mergedAgain puts the good image back.
const mergedAgain = `
name=%[1]s
rm -rf "/var/lib/extensions/$name"
mv "/var/tmp/$name.good" "/var/lib/extensions/$name.raw"
systemctl restart systemd-sysext.service
`
