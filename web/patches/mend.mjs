// Applies exact-match replacements to the text of files; every replacement must find its text the
// stated number of times, so a changed package fails loudly instead of being half mended.
import { createHash } from "node:crypto";

export const sha512 = (text) => createHash("sha512").update(text).digest("base64");

/**
 * @param {string} file
 * @param {string} text
 * @param {{defect: number, file: string, from: string, to: string, times?: number}[]} mends
 * @returns {string}
 */
export function mend(file, text, mends) {
  for (const m of mends.filter((m) => m.file === file)) {
    const found = text.split(m.from).length - 1;
    if (found !== (m.times ?? 1))
      throw new Error(`${file}: defect ${m.defect}: text found ${found} times, expected ${m.times ?? 1}`);
    text = text.split(m.from).join(m.to);
  }
  return text;
}
