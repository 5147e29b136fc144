package buildspec

// notYet tells what of the whole this server reads and does not carry out.
func (l *linter) notYet(k keys) {
	if l == nil {
		return
	}
	for _, block := range []struct{ key, so string }{
		{"cache", "nothing is kept for the next build."},
	} {
		if k.has(block.key) {
			l.add(Odd, k.at[block.key], "This server reads "+block.key+" and does not act upon it yet: "+block.so)
		}
	}
}
