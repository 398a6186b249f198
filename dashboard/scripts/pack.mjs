// The last step of the build: compresses every file once, and writes the manifest that the gateway serves from.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = new URL("../../gateway/static/app", import.meta.url).pathname;
const MEDIA_TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};
const WORTH_IT = 512; // bytes: smaller files fit one packet anyway

const names = readdirSync(folder, { recursive: true })
  .map((name) => relative(folder, join(folder, name)))
  .filter((name) => statSync(join(folder, name)).isFile())
  .sort();
const manifest = {};
for (const name of names) {
  const mediaType = MEDIA_TYPES[extname(name)];
  if (mediaType === undefined) throw new Error(`${name}: no media type is known for it`);
  const content = readFileSync(join(folder, name));
  const encodings = [];
  if (content.length > WORTH_IT && extname(name) !== ".png") {
    const packed = {
      br: brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
      gzip: gzipSync(content, { level: 9 }),
    };
    for (const [encoding, bytes] of Object.entries(packed)) {
      if (bytes.length < content.length) {
        writeFileSync(join(folder, `${name}.${encoding === "br" ? "br" : "gz"}`), bytes);
        encodings.push(encoding);
      }
    }
  }
  manifest[name] = {
    media_type: mediaType,
    etag: createHash("sha256").update(content).digest("hex").slice(0, 20),
    encodings,
    immutable: name.startsWith("assets/"),
  };
}
writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest, null, 1));
