package store

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// maxBody bounds what a stored payload may unpack to, above what any provider
// delivers.
const maxBody = 32 << 20

// Payloads are packed as fast as possible: they are JSON, of which even that
// leaves a sixth. Neither fails with these options.
var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxBody))
)

// pack returns body as it is stored; nil stays nil.
func pack(body []byte) []byte {
	if body == nil {
		return nil
	}
	return packer.EncodeAll(body, make([]byte, 0, len(body)/4+64))
}

// unpack is the inverse of pack.
func unpack(packed []byte) ([]byte, error) {
	if packed == nil {
		return nil, nil
	}
	body, err := unpacker.DecodeAll(packed, []byte{})
	if err != nil {
		return nil, fmt.Errorf("unpack a payload: %w", err)
	}
	return body, nil
}
