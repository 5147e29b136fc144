package redact

import (
	"encoding/binary"
	"slices"
	"strings"
)

// A needle is a text to be masked or, with least, the beginning of one: at
// least that many characters of the charset must follow, and all of them
// belong to it.
type needle struct {
	text    string
	least   int
	charset int // index in charsets
}

// A charset says for each byte whether it belongs.
type charset [256]bool

func charsetOf(chars string) *charset {
	var c charset
	for i := range len(chars) {
		c[chars[i]] = true
	}
	return &c
}

// span returns how many bytes at the start of p belong.
func (c *charset) span(p []byte) int {
	for i, b := range p {
		if !c[b] {
			return i
		}
	}
	return len(p)
}

const (
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	letters  = "abcdefghijklmnopqrstuvwxyz" + capitals
)

var charsets = [...]*charset{
	charsetOf(letters + "._"),
	charsetOf(letters + "_"),
	charsetOf(letters + "_=-"),
	charsetOf(letters + "._-"),
	charsetOf(capitals),
}

// shapes are the access tokens that are known by their look. Lengths are lower
// bounds on purpose: providers make their tokens longer from time to time.
var shapes = func() (all []needle) {
	for _, kind := range []struct {
		prefixes string
		charset  int
		least    int
	}{
		{"ghp_ gho_ ghu_ ghs_ ghr_", 0, 20}, // GitHub; new ghs_ tokens hold a JWT, with dots
		{"github_pat_", 1, 20},
		{"ATAT ATCT ATBB", 2, 16},                          // Bitbucket
		{"glpat- gldt- glcbt- glptt- glrt- glrtr-", 3, 16}, // GitLab; routable tokens have dots
		{"AKIA ASIA", 4, 16},                               // AWS access key ids
	} {
		for prefix := range strings.FieldsSeq(kind.prefixes) {
			all = append(all, needle{prefix, kind.least, kind.charset})
		}
	}
	return all
}()

// filterBits is the size of a set's filter: of its 64 KiB an ordinary log
// touches a small part, and a hundred secrets fill one in a hundred.
const filterBits = 16

// A set finds the places where a needle may begin, by the four bytes there.
// Looking at four at once makes nearly every place of an ordinary log a miss
// in the filter, which costs less than following any automaton.
type set struct {
	filter  [1 << filterBits]byte // 1 at the hash of every needle's first four bytes
	needles map[uint32][]needle   // by their first four bytes, longest first
	begin   map[string]bool       // the first one, two and three bytes of every needle
	seen    map[string]bool       // the forms of secrets that are in it
}

func newSet(secrets []string) *set {
	s := &set{needles: map[uint32][]needle{}, begin: map[string]bool{}, seen: map[string]bool{}}
	for _, n := range shapes {
		s.add(n)
	}
	s.hide(secrets)
	return s
}

// hide adds secrets in all their forms.
func (s *set) hide(secrets []string) {
	for _, secret := range secrets {
		for form := range Forms(secret) {
			if !s.seen[form] {
				s.seen[form] = true
				s.add(needle{text: form})
			}
		}
	}
}

// add puts n among the needles that begin like it, the longest of which comes
// first.
func (s *set) add(n needle) {
	four := binary.LittleEndian.Uint32([]byte(n.text[:4]))
	list := s.needles[four]
	i, _ := slices.BinarySearchFunc(list, n, func(a, b needle) int {
		if len(a.text) >= len(b.text) {
			return -1 // after those that are as long
		}
		return 1
	})
	s.needles[four] = slices.Insert(list, i, n)
	s.filter[hash(four)] = 1
	for i := range 3 {
		s.begin[n.text[:i+1]] = true
	}
}

// hash is Fibonacci hashing of four bytes of text.
func hash(four uint32) uint16 { return uint16(four * 0x9E3779B1 >> (32 - filterBits)) }

// next returns the first place from i on where a needle may begin. If there is
// none it returns where the text ends or, unless final, the place before that
// which more text may turn into such a place.
func (s *set) next(text []byte, i int, final bool) (place int, found bool) {
	for ; i+8 <= len(text); i += 5 { // five overlapping fours in eight bytes
		x := binary.LittleEndian.Uint64(text[i:])
		if s.filter[hash(uint32(x))]|s.filter[hash(uint32(x>>8))]|s.filter[hash(uint32(x>>16))]|
			s.filter[hash(uint32(x>>24))]|s.filter[hash(uint32(x>>32))] == 0 {
			continue
		}
		for n := range 5 {
			if four := uint32(x >> (8 * n)); s.filter[hash(four)] != 0 && s.needles[four] != nil {
				return i + n, true
			}
		}
	}
	for ; i+4 <= len(text); i++ {
		if s.needles[binary.LittleEndian.Uint32(text[i:])] != nil {
			return i, true
		}
	}
	for ; i < len(text) && !final; i++ {
		if s.begin[string(text[i:])] {
			return i, false
		}
	}
	return max(i, len(text)), false
}

// beginning returns the needles that begin with the first four bytes of text.
func (s *set) beginning(text []byte) []needle {
	return s.needles[binary.LittleEndian.Uint32(text)]
}
