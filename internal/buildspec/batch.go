package buildspec

// A Batch is the block of a batch build.
type Batch struct{}

// A Proxy says which of the agent's own transfers use the proxy of the
// project's environment.
type Proxy struct{ UploadArtifacts, Logs bool }
