package event

import "bytes"

// A build's log has lines of the agent's own among what commands write. They
// begin with LineStart and the time in the form of LineTime, and a blank after
// each. The rest of those by which a reader finds his way begins as follows.
const (
	LineStart = "[Container]"
	LineTime  = "2006/01/02 15:04:05.000000"

	WaitingForSource = "Waiting for DOWNLOAD_SOURCE"        // nothing follows
	EnteringPhase    = "Entering phase "                    // a phase that has commands
	RunningCommand   = "Running command "                   // the command, whose first line this is
	CommandFailed    = "Command did not exit successfully " // the command and its exit status
	PhaseContext     = "Phase context status code: "        // the code, which is empty if all is well, and MessageOf
	MessageOf        = " Message: "                         // the message
)

// A Line is what a line of a log is to a reader.
type Line int

// The lines. PhaseLine begins a phase, CommandLine a command, and ErrorLine
// says why one of them failed. All others are OtherLine.
const (
	OtherLine Line = iota
	PhaseLine
	CommandLine
	ErrorLine
)

// ParseLine says what a line is and returns what it is about: a phase's name,
// a command's first line, or an error. User code can write such lines, too.
func ParseLine(line []byte) (Line, []byte) {
	const start, text = len(LineStart + " "), len(LineStart + " " + LineTime + " ")
	if len(line) < text || string(line[:start]) != LineStart+" " || line[text-1] != ' ' {
		return OtherLine, nil
	}
	said := bytes.TrimRight(line[text:], "\r\n")
	if string(said) == WaitingForSource {
		return PhaseLine, said[len("Waiting for "):]
	}
	if phase, ok := bytes.CutPrefix(said, []byte(EnteringPhase)); ok {
		return PhaseLine, phase
	}
	if command, ok := bytes.CutPrefix(said, []byte(RunningCommand)); ok {
		return CommandLine, command
	}
	if bytes.HasPrefix(said, []byte(CommandFailed)) {
		return ErrorLine, said
	}
	if context, ok := bytes.CutPrefix(said, []byte(PhaseContext)); ok {
		code, message, _ := bytes.Cut(context, []byte(MessageOf))
		if len(code) > 0 {
			return ErrorLine, bytes.TrimSpace([]byte(string(code) + ": " + string(message)))
		}
	}
	return OtherLine, nil
}
