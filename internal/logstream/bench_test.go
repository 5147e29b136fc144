package logstream

import (
	"fmt"
	"testing"

	"slipway/internal/logstream/frame"
)

func BenchmarkAppend(b *testing.B) {
	builder := frame.NewBuilder()
	for i := 0; builder.Bytes() < 256<<10; i++ {
		builder.Add(1, fmt.Appendf(nil, "[INFO] %06d compiling src/main/java/com/example/service/Module%d.java (%d warnings)\n", i, i*7919%977, i%5))
	}
	raw := builder.Bytes()
	f := builder.Frame()
	now := int64(1_000_000)
	s := openAt(b, b.TempDir(), &now)
	must(b, s.Create(one, epoch))
	b.SetBytes(int64(raw))
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		must(b, s.Append(one, i, f))
	}
}

func BenchmarkRead(b *testing.B) {
	now := int64(1_000_000)
	s := openAt(b, b.TempDir(), &now)
	must(b, s.Create(one, epoch))
	raw := 0
	for i := range 800 { // 200 MB
		builder := frame.NewBuilder()
		for j := 0; builder.Bytes() < 256<<10; j++ {
			builder.Add(int64(i), fmt.Appendf(nil, "[INFO] %06d compiling src/main/java/com/example/service/Module%d.java (%d warnings)\n", j, j*7919%977, i%5))
		}
		raw = builder.Bytes()
		must(b, s.Append(one, uint64(i), builder.Frame()))
	}
	info, _ := s.Stat(one)
	b.Run("a block", func(b *testing.B) {
		b.SetBytes(int64(raw))
		b.ReportAllocs()
		for i := int64(0); b.Loop(); i++ {
			must(b, second(s.Block(one, i*7919*1000%info.Events)))
		}
	})
	b.Run("opening", func(b *testing.B) {
		for b.Loop() {
			s.cache.clear()
			must(b, second(s.Stat(one)))
		}
	})
}
