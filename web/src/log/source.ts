/** Where in a log something starts. */
export interface Mark {
  readonly kind: "PHASE" | "COMMAND" | "ERROR";
  readonly line: number;
  readonly text: string;
}

/** What a log is like by now. */
export interface Description {
  readonly lines: number;
  readonly bytes: number;
  /** Whether nothing will be added. */
  readonly complete: boolean;
  readonly firstError: Mark | undefined;
  readonly marks: readonly Mark[];
  /** Marks are those of so many lines: finding them may take several calls. */
  readonly markedLines: number;
}

/** Some lines that follow each other. */
export interface Lines {
  /** Number of the first one. */
  readonly start: number;
  readonly messages: readonly string[];
  /** One for each message, in milliseconds since 1970. */
  readonly times: readonly number[];
  /** How many lines the log has. */
  readonly lines: number;
  readonly complete: boolean;
}

/** What to look for. */
export interface Query {
  readonly text: string;
  readonly matchCase: boolean;
  readonly regularExpression: boolean;
}

/** Lines that match, in order, and where the search goes on. */
export interface Found {
  readonly matches: readonly number[];
  /** The first line that was not searched; undefined at the end. */
  readonly next: number | undefined;
  /** How many lines the log has. */
  readonly lines: number;
}

/** A log that is read in parts. The first line is number 1. */
export interface LogSource {
  describe(signal?: AbortSignal): Promise<Description>;
  /** Reads up to count lines; may give fewer. */
  lines(start: number, count: number, signal?: AbortSignal): Promise<Lines>;
  /** Searches from a line on, as far as the server goes at once. */
  search(query: Query, start: number, signal?: AbortSignal): Promise<Found>;
}
