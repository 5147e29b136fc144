package sourcetest

import "strconv"

// gitHub is how GitHub and GitHub Enterprise Server tell of what happens.
type gitHub struct{ *Server }

func (gitHub) pullRef(number int) string { return "refs/pull/" + strconv.Itoa(number) + "/head" }
