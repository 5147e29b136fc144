package unzip

import (
	"archive/zip"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// Systems that an archive says it was made on, in the upper byte of
// CreatorVersion.
const (
	onUnix  = 3
	onMacOS = 19
)

func madeOnUnix(f *zip.File) bool {
	system := f.CreatorVersion >> 8
	return system == onUnix || system == onMacOS
}

// nameOf returns an entry's name with slashes. A name that is no UTF-8 is kept
// byte for byte if Unix wrote it, where names are bytes, and is read in code
// page 437 otherwise, which is what the format says it is in. Only elsewhere
// than on Unix is a backslash the mark between directories.
func nameOf(f *zip.File) string {
	if madeOnUnix(f) {
		return f.Name
	}
	name := f.Name
	if !utf8.ValidString(name) {
		var out strings.Builder
		for i := range len(name) {
			if b := name[i]; b < utf8.RuneSelf {
				out.WriteByte(b)
			} else {
				out.WriteRune(codePage437[b-utf8.RuneSelf])
			}
		}
		name = out.String()
	}
	return strings.ReplaceAll(name, `\`, "/")
}

// permOf returns an entry's permissions, which only Unix writes, or usual.
// Nobody but its owner may write what comes out of an archive.
func permOf(f *zip.File, usual fs.FileMode) fs.FileMode {
	if perm := f.Mode().Perm() &^ 0o022; madeOnUnix(f) && perm != 0 {
		return perm
	}
	return usual
}

// codePage437 are the characters of the bytes from 128 on.
var codePage437 = []rune("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0")
