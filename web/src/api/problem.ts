/** Why a call did not come out. The message is the server's own where it gave one, and holds no secret. */
export class Problem extends Error {
  /** The exception's AWS name, such as InvalidInputException, or NotSignedIn or Unreachable. */
  override readonly name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }

  /** The problem that an answer of the server tells of. */
  static ofAnswer(body: unknown, status: number): Problem {
    const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
    const type = typeof fields["__type"] === "string" ? fields["__type"] : `HTTP ${status}`;
    const text = fields["message"] ?? fields["Message"];
    return new Problem(type.slice(type.lastIndexOf("#") + 1), typeof text === "string" && text !== "" ? text : "The server gave no reason.");
  }

  /** Whatever was thrown, as a Problem. */
  static of(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    if (thrown instanceof Error) {
      if (thrown instanceof TypeError && thrown.message.includes("fetch")) {
        return new Problem("Unreachable", "The server does not answer. Check that slipway serve is running and try again.");
      }
      return new Problem(thrown.name, thrown.message);
    }
    return new Problem("Error", String(thrown));
  }

  /** Whether signing in again is what helps. */
  get signedOut(): boolean {
    return ["NotSignedIn", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredToken"].includes(this.name);
  }

  /** Whether asking again could help. */
  get passing(): boolean {
    return this.name === "Unreachable" || this.name === "InternalFailure" || this.name === "ThrottlingException";
  }
}
