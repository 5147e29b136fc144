import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { artifactFile, fileName, type Read } from "./download";

/** Gives a text in pieces of five bytes. */
function pieces(data: Buffer, encoding: "IDENTITY" | "DEFLATE", modified: (offset: number) => number = () => 1): Read {
  return ({ offset = 0 }) =>
    Promise.resolve({ data: data.subarray(offset, offset + 5).toString("base64"), totalBytes: data.length, modified: modified(offset), encoding });
}

function download(read: Read, progress: (part: number) => void = () => undefined) {
  return artifactFile({ buildId: "app:1", path: "a" }, { signal: new AbortController().signal, progress, read });
}

describe("artifactFile", () => {
  test("puts pieces together and tells how far it is", async () => {
    const parts: number[] = [];
    const file = await download(pieces(Buffer.from("hello soup"), "IDENTITY"), (p) => parts.push(p));
    expect(await file.text()).toBe("hello soup");
    expect(parts).toEqual([0.5, 1]);
  });
  test("unpacks what an archive packed", async () => {
    const file = await download(pieces(deflateRawSync("soup ".repeat(100)), "DEFLATE"));
    expect(await file.text()).toBe("soup ".repeat(100));
  });
  test("an empty file is one", async () => expect((await download(pieces(Buffer.alloc(0), "IDENTITY"))).size).toBe(0));
  test("is of one artifact", async () => {
    await expect(download(pieces(Buffer.from("hello soup"), "IDENTITY", (offset) => offset))).rejects.toThrow("later build replaced");
  });
  test("does not ask for ever", async () => {
    await expect(download(() => Promise.resolve({ totalBytes: 3, encoding: "IDENTITY" }))).rejects.toThrow("nothing more");
  });
});

test.each([
  ["a/b/c.txt", "c.txt"],
  ["c:d", "c_d"],
  ["", "artifact"],
])("the file's name of %s is %s", (path, want) => expect(fileName(path)).toBe(want));
