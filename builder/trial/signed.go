package trial

import (
	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/verity"
	"github.com/treewright/treewright/builder/vm"
)

// signedExtensions returns, by name, the extensions of a system that merges signed ones only,
// each with a signature that it must refuse: by a key that is made here and thrown away.
func signedExtensions(s *build.Subject, m *publish.Manifest) (map[string]*vm.Signed, error) {
	if !s.Spec.SignedOnly() {
		return nil, nil
	}
	key, cert, err := verity.ThrowAway("extensions")
	if err != nil {
		return nil, err
	}
	signed := map[string]*vm.Signed{}
	for _, e := range s.Spec.Extensions {
		for _, a := range m.Artifacts {
			if a.Name != e.Name+".raw" || a.Verity == nil || a.Verity.SignatureAt == 0 {
				continue
			}
			signature, err := verity.Sign(a.Verity.RootHash, key, cert)
			if err != nil {
				return nil, err
			}
			strange, err := verity.Partition(a.Verity.RootHash, cert, signature)
			if err != nil {
				return nil, err
			}
			signed[e.Name] = &vm.Signed{DataAt: a.Verity.DataAt, SignatureAt: a.Verity.SignatureAt, Strange: strange}
		}
	}
	return signed, nil
}
