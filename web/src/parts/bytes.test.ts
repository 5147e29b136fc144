import { expect, test } from "vitest";
import { size } from "./bytes";

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [1023, "1023 bytes"],
  [1024, "1.0 KiB"],
  [1536 * 1024, "1.5 MiB"],
  [20 * 1024 ** 3, "20 GiB"],
])("%d bytes are %s", (bytes, want) => expect(size(bytes)).toBe(want));
