package sign

import "testing"

func TestArmoured(t *testing.T) {
	// The checksum is what OpenPGP's CRC-24 gives for the usual test input:
	// 0x21CF02 (https://reveng.sourceforge.io/crc-catalogue/all.htm).
	want := "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nMTIzNDU2Nzg5\n=Ic8C\n-----END PGP PUBLIC KEY BLOCK-----\n"
	got := Armoured(KeysText, []byte("123456789"))
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if back := string(Dearmoured(append([]byte("a note\n"), got...))); back != "123456789" {
		t.Errorf("read again it is %q", back)
	}
	if back := string(Dearmoured([]byte("binary"))); back != "binary" {
		t.Errorf("what is not armoured is %q", back)
	}
}
