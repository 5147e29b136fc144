package schedule

import "testing"

func TestPinned(t *testing.T) {
	const sha = "0123456789abcdef0123456789abcdef01234567"
	for _, tt := range []struct{ version, commit, want string }{
		{"main", "", "main"},
		{"pr/7", sha, "pr/7^{" + sha + "}"},
		{"refs/tags/v1", sha, "refs/tags/v1^{" + sha + "}"},
		{sha, sha, sha},
		{"", sha, sha},
		{"refs/heads/x^{" + sha + "}", sha, "refs/heads/x^{" + sha + "}"},
	} {
		if got := pinned(tt.version, tt.commit); got != tt.want {
			t.Errorf("pinned(%q, %q) = %q, want %q", tt.version, tt.commit, got, tt.want)
		}
	}
}
