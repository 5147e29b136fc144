import Link from "@cloudscape-design/components/link";
import { ofConsole, pieces } from "./advice";

/** What the server says to do, in the console's words; addresses in it are links. */
export function Advice({ text, here = "under Source providers" }: { text: string; /** Where a token is imported from here. */ here?: string }) {
  return (
    <span style={{ overflowWrap: "anywhere" }}>
      {pieces(ofConsole(text, here)).map((piece, i) =>
        piece.href === undefined ? (
          piece.text
        ) : (
          <Link key={i} external fontSize="inherit" href={piece.href} externalIconAriaLabel="Opens in a new tab">
            {piece.text}
          </Link>
        ),
      )}
    </span>
  );
}
