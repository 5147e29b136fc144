// Package event has the words in which an agent says what happens to its build.
// It stands apart from the build itself so that agents need not carry that.
package event

import (
	"time"

	"slipway/internal/api"
)

// What of an agent's word is kept at most. The agent shares a machine with
// strangers' commands, so its word may be theirs.
const (
	MaxContexts = 10     // of a phase
	MaxCaches   = 10     // restored or saved
	MaxExported = 200    // exported variables
	MaxName     = 255    // bytes of an exported variable's name
	MaxText     = 10_000 // characters of one text
	MaxTexts    = 50_000 // characters of all texts of one event
	MaxRetries  = 100    // of a build, by on-failure
)

// An Event is one thing that happened to a build. Exactly one of its parts is set.
type Event struct {
	Time     time.Time                         `json:"time"`
	Enter    api.BuildPhaseType                `json:"enter,omitzero"`    // a phase began: DOWNLOAD_SOURCE up to FINALIZING
	Leave    *PhaseEnd                         `json:"leave,omitzero"`    // the phase entered last ended
	Resolved *Resolved                         `json:"resolved,omitzero"` // the fetch knows the commit
	Exported []api.ExportedEnvironmentVariable `json:"exported,omitzero"` // values of exported-variables, once commands have run; the last word counts
	Artifact *Artifact                         `json:"artifact,omitzero"` // one was uploaded
	Cache    *Cache                            `json:"cache,omitzero"`    // one was restored or saved, or was not
	End      api.StatusType                    `json:"end,omitzero"`      // the build ended; always the last event
}

// PhaseEnd is how a phase ended.
type PhaseEnd struct {
	Status   api.StatusType     `json:"status"`
	Contexts []api.PhaseContext `json:"contexts,omitzero"` // usually one; both texts empty when all is well
	Command  *Command           `json:"command,omitzero"`  // the first that failed, if one did
	Retries  int                `json:"retries,omitzero"`  // of a phase that failed: its on-failure wants the build retried, up to so many times in all
}

// A Command is one of the buildspec's that was run.
type Command struct {
	Text string `json:"text"`          // as it is written
	File string `json:"file,omitzero"` // the buildspec below the source's root; empty if it was not in the source
	Line int    `json:"line,omitzero"` // of the buildspec in which it begins, counted from 1; 0 if that is not known
	Exit int    `json:"exit"`          // exit status, 0 to 255
}

// An Artifact is what a build left in a bucket.
type Artifact struct {
	Identifier string `json:"identifier,omitzero"` // empty for the primary artifact
	Location   string `json:"location"`            // S3 ARN of the object, or of the folder
	MD5        string `json:"md5,omitzero"`        // hexadecimal, of a ZIP
	SHA256     string `json:"sha256,omitzero"`     // likewise
	Files      int    `json:"files"`
	Bytes      int64  `json:"bytes"` // of all files, as they were
}

// A Cache is what became of a build's cache once: when it was to be restored,
// or to be saved.
type Cache struct {
	Action  CacheAction   `json:"action"`
	Outcome CacheOutcome  `json:"outcome"`
	Kind    api.CacheType `json:"kind,omitzero"`    // S3 or LOCAL; the build's own is what is recorded
	Key     string        `json:"key,omitzero"`     // asked for, or saved under; empty for a cache without keys
	Found   string        `json:"found,omitzero"`   // the key of what was restored
	Files   int           `json:"files,omitzero"`   // written or read, links too
	Bytes   int64         `json:"bytes,omitzero"`   // of all files
	Packed  int64         `json:"packed,omitzero"`  // bytes of the archive
	Skipped int           `json:"skipped,omitzero"` // entries of the archive that were not restored
	Seconds float64       `json:"seconds,omitzero"` // that it took
	Reason  string        `json:"reason,omitzero"`  // in words, unless all went well
}

// A CacheAction is what is done with a cache.
type CacheAction string

// The actions.
const (
	CacheRestore CacheAction = "RESTORE"
	CacheSave    CacheAction = "SAVE"
)

// A CacheOutcome is what came of an action.
type CacheOutcome string

// The outcomes. A cache that Failed may have been restored in part.
const (
	CacheHit     CacheOutcome = "HIT"     // restored
	CacheMiss    CacheOutcome = "MISS"    // there is none
	CacheSaved   CacheOutcome = "SAVED"   //
	CacheSkipped CacheOutcome = "SKIPPED" // for the reason
	CacheFailed  CacheOutcome = "FAILED"  // likewise
)

// Resolved is the commit a source version came to.
type Resolved struct {
	Identifier string `json:"identifier,omitzero"` // empty for the primary source
	Commit     string `json:"commit"`              // 40 or 64 hexadecimal digits
}

// Cut returns the first n characters of s.
func Cut(s string, n int) string {
	if len(s) <= n { // never more characters than bytes
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
