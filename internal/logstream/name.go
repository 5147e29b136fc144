package logstream

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"path"
	"strings"
	"time"

	"slipway/internal/arn"
)

const (
	suffix    = ".log"
	groupFile = "group" // does not end in suffix, so it is no stream

	maxName   = 16 << 10
	maxPlain  = 160 // file systems take names of 255 bytes
	hashStart = "~" // never in an escaped name
)

func (id StreamID) path() string {
	return path.Join(groupPath(id.Scope, id.Group), escape(id.Name)+suffix)
}

func groupPath(scope arn.Scope, group string) string {
	return path.Join(scopePath(scope), escape(group))
}

func scopePath(scope arn.Scope) string {
	return path.Join(escape(scope.Account), escape(scope.Region))
}

// escape returns name as the name of a file: letters, digits, '-', '_' and '.'
// but not at the start as they are, any other byte as %XX. Of a long name only
// the beginning is left, with a hash of all of it; such a file says its own
// name. Different names stay different.
func escape(name string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
		if b.Len() > maxPlain {
			sum := sha256.Sum256([]byte(name))
			return b.String()[:maxPlain/2] + hashStart + hex.EncodeToString(sum[:])
		}
	}
	if name == "" {
		return "%" // the name of a scope's part may be empty; no other name is escaped to this
	}
	return b.String()
}

// unescape returns the name that escape made file of. ok is false if it is
// the file of a long name, or no such file at all.
func unescape(file string) (name string, ok bool) {
	if !strings.Contains(file, "%") {
		return file, file != "" && escape(file) == file
	}
	b := make([]byte, 0, len(file))
	for i := 0; i < len(file); i++ {
		if file[i] != '%' {
			b = append(b, file[i])
			continue
		}
		var c [1]byte
		if i+3 > len(file) {
			return "", false
		}
		if _, err := hex.Decode(c[:], []byte(file[i+1:i+3])); err != nil {
			return "", false
		}
		b = append(b, c[0])
		i += 2
	}
	return string(b), len(b) > 0 && escape(string(b)) == file
}

// A preamble is at the start of a stream's file, and is all of a group's file:
//
//	0  magic "SLL1"   4  created, ms   12  length of name   16  name   then CRC-32C of all before
const (
	preambleMagic = "SLL1"
	preambleFixed = 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func preamble(created time.Time, name string) []byte {
	b := append(make([]byte, 0, preambleFixed+len(name)+4), preambleMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(max(0, created.UnixMilli())))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(name)))
	b = append(b, name...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// parsePreamble reads the preamble at the start of b, which may go on.
func parsePreamble(b []byte) (created int64, name string, size int, ok bool) {
	if len(b) < preambleFixed || string(b[:4]) != preambleMagic {
		return 0, "", 0, false
	}
	n := binary.LittleEndian.Uint32(b[12:])
	if n > maxName || len(b) < preambleFixed+int(n)+4 {
		return 0, "", 0, false
	}
	end := preambleFixed + int(n)
	if binary.LittleEndian.Uint32(b[end:]) != crc32.Checksum(b[:end], castagnoli) {
		return 0, "", 0, false
	}
	return int64(binary.LittleEndian.Uint64(b[4:])), string(b[preambleFixed:end]), end + 4, true
}
